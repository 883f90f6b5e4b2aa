"""Prompt templates: the repository's own, and what a broken one does."""

from pathlib import Path

import pytest

from headrace.messaging.errors import Fatal, Invalid
from headrace.prompts.files import YamlTemplates
from headrace.prompts.template import Label, Message, Slots
from headrace.runtime.paths import infra_dir

GOOD = """
takes: prompt
instructions: Be brief. {{ language }}
question: "{{ text }}"
examples:
  - {question: "1 + 1?", answer: "2"}
sampling: {temperature: 0.5, max_tokens: 10}
cache: never
"""


def write(folder: Path, name: str, version: str, content: str = GOOD) -> None:
    path = folder / name / f"{version}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_a_name_alone_means_the_latest_version(tmp_path: Path) -> None:
    for version in ("1", "2", "10"):
        write(tmp_path, "chat", version)
    templates = YamlTemplates.load(tmp_path)
    assert templates.get("chat").version == "10"
    assert templates.get("chat/2").version == "2"


@pytest.mark.parametrize("reference", ["chat/9", "nope", "", "chat/"])
def test_an_unknown_template_names_the_known_ones(tmp_path: Path, reference: str) -> None:
    write(tmp_path, "chat", "1")
    templates = YamlTemplates.load(tmp_path)
    if reference == "chat/":
        assert templates.get(reference).version == "1"
        return
    with pytest.raises(Invalid, match="use one of chat/1"):
        templates.get(reference)


def test_words_of_a_user_are_never_read_as_a_template(tmp_path: Path) -> None:
    """INVARIANT: a slot's value is data: what looks like a slot in it stays as it is."""
    write(tmp_path, "chat", "1")
    templates = YamlTemplates.load(tmp_path)
    rendered = templates.render(templates.get("chat"), Slots(text="  {{ 7 * 7 }} {% raw %}", language="en"))
    assert rendered.question == "  {{ 7 * 7 }} {% raw %}"
    assert rendered.instructions == "Be brief. en"
    assert rendered.examples == (Message("user", "1 + 1?"), Message("assistant", "2"))


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("{{ text }}", "{{ txet }}"),
        GOOD.replace("{{ text }}", "{{ text"),
        GOOD.replace("{{ text }}", "{{ text.__class__.__mro__ }}"),
        GOOD.replace("cache: never", "cache: sometimes"),
        GOOD + "surprise: 1\n",
        "- not a mapping",
        "a: [",
    ],
)
def test_a_broken_template_stops_the_start_and_is_named(tmp_path: Path, content: str) -> None:
    write(tmp_path, "chat", "1", content)
    with pytest.raises(Fatal, match=r"chat/1\.yaml is no prompt template"):
        YamlTemplates.load(tmp_path)


def test_a_folder_without_templates_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="HEADRACE_INFRA_DIR"):
        YamlTemplates.load(tmp_path)


def test_the_clients_own_instructions_replace_ours() -> None:
    templates = YamlTemplates.load(infra_dir() / "prompts")
    chat = templates.get("chat")
    ours = templates.render(chat, Slots(text="Hello?", language="en"))
    theirs = templates.render(chat, Slots(text="Hello?", language="en", client_instructions="Be a cat."))
    assert ours.instructions
    assert ours.question == "Hello?"
    assert (theirs.instructions, theirs.question) == ("Be a cat.", "Hello?")
    assert "{{ sources }}" in chat.sources_template


def test_a_classification_shows_each_label_once_by_what_it_means() -> None:
    templates = YamlTemplates.load(infra_dir() / "prompts")
    classify = templates.get("classify")
    labels = (Label("late", "It came after the promised day."), Label("broken"))
    rendered = templates.render(classify, Slots(text="It never came.", language="en", labels=labels))
    assert rendered.instructions.endswith(": late, broken.")
    assert [(message.role, message.content) for message in rendered.examples] == [
        ("user", "It came after the promised day."),
        ("assistant", "late"),
        ("user", "broken"),
        ("assistant", "broken"),
    ]
    assert rendered.question == "It never came."
    assert {label.name for label in classify.labels} == {"positive", "negative"}


OWN = GOOD.replace("cache: never", "cache: never\nslots: {tone: {default: friendly}, whom: {}}").replace(
    "Be brief.", "Be {{ tone }} to {{ whom }}."
)


def test_a_template_has_slots_of_its_own_that_a_client_may_fill(tmp_path: Path) -> None:
    write(tmp_path, "rewrite", "1", OWN)
    templates = YamlTemplates.load(tmp_path)
    template = templates.get("rewrite")
    assert template.slots == {"tone": "friendly", "whom": ""}
    filled = Slots("t", "en", own={"whom": "{{ text }}", "colour": "red"})
    assert templates.render(template, filled).instructions == "Be friendly to {{ text }}. en"


@pytest.mark.parametrize("slot", ["text", "Tone", "a b", "client_instructions", "own-slot"])
def test_a_slot_that_every_template_has_or_that_no_template_could_name_is_refused(tmp_path: Path, slot: str) -> None:
    write(tmp_path, "rewrite", "1", GOOD.replace("cache: never", f"cache: never\nslots: {{{slot}: {{}}}}"))
    with pytest.raises(Fatal, match="slots"):
        YamlTemplates.load(tmp_path)


def test_all_versions_are_listed_by_their_age(tmp_path: Path) -> None:
    for version in ("1", "10", "2"):
        write(tmp_path, "chat", version)
    assert [template.version for template in YamlTemplates.load(tmp_path).all()] == ["1", "2", "10"]
