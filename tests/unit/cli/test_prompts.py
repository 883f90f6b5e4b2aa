"""`headrace prompts` over templates of a test's own."""

from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from headrace.cli import prompts

TEMPLATE = """
takes: prompt
description: Says it again.
slots: {tone: {default: friendly}}
instructions: Be {{ tone }}. {{ client_instructions }}
question: "{{ text }}"
examples:
  - {question: "[bold]1 + 1?[/]", answer: "2"}
sampling: {temperature: 0, max_tokens: 10}
cache: never
"""
PIPELINE = """
name: chat
version: "1"
lane: interactive
stages: [inference]
deadline_seconds: 5
settings: {template: say}
"""


@pytest.fixture
def infra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_INFRA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    for version, text in (("1", TEMPLATE), ("2", TEMPLATE.replace("Be {{", "Sound {{"))):
        path = tmp_path / "prompts" / "say" / f"{version}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "chat.yaml").write_text(PIPELINE, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    prompts.register(root)
    return CliRunner().invoke(root, ["prompts", *arguments])


@pytest.mark.usefixtures("infra")
def test_every_version_is_listed_and_the_latest_is_what_pipelines_take() -> None:
    rows = orjson.loads(run("list", "--json").stdout)
    assert [(row["template"], row["pipelines"]) for row in rows] == [("say/1", []), ("say/2", ["chat"])]
    shown = run("list").stdout
    assert "say/2" in shown
    assert "Says it again." in shown


@pytest.mark.usefixtures("infra")
def test_a_version_is_shown_as_it_is_written() -> None:
    assert run("show", "say/1").stdout.strip() == TEMPLATE.strip()
    assert orjson.loads(run("show", "say", "--json").stdout)["template"] == "say/2"


@pytest.mark.usefixtures("infra")
def test_a_template_is_rendered_as_it_would_go_to_a_model() -> None:
    told = run("render", "say/1", "--text", "[red]Hi", "--slot", "tone=formal", "--instructions", "Briefly.", "--json")
    assert orjson.loads(told.stdout)["messages"] == [
        {"role": "system", "content": "Be formal. Briefly."},
        {"role": "user", "content": "[bold]1 + 1?[/]"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "[red]Hi"},
    ]
    assert "[bold]1 + 1?[/]" in run("render", "say").stdout


@pytest.mark.usefixtures("infra")
def test_what_changed_between_two_versions() -> None:
    shown = run("diff", "say/1", "say/2")
    assert "-instructions: Be {{ tone }}" in shown.stdout
    assert "+instructions: Sound {{ tone }}" in shown.stdout
    assert orjson.loads(run("diff", "say/1", "say/1", "--json").stdout) == {"same": True, "diff": []}


@pytest.mark.usefixtures("infra")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nope"), "use one of say/1, say/2"),
        (("render", "say", "--slot", "colour=red"), "has no slot colour: it has tone"),
        (("render", "say", "--slot", "tone"), "no NAME=VALUE"),
        (("diff", "say/1", "say/7"), "use one of say/1"),
    ],
)
def test_a_wrong_command_line_says_what_there_is(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_broken_template_is_named(infra: Path) -> None:
    (infra / "prompts" / "say" / "3.yaml").write_text("takes: nothing", encoding="utf-8")
    result = run("list")
    assert result.exit_code == 1
    assert "3.yaml is no prompt template" in " ".join(result.stderr.split())
