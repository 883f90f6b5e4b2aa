"""`headrace prompts render`: what a model would be told."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from headrace.cli.output import Exit, fail, out, print_json
from headrace.cli.prompts.reading import AsJson, Reference, templates, the_one
from headrace.cli.texts import read_text
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.models.fetch import prepare_tokenizer
from headrace.models.registry import load_registry
from headrace.models.tokenizer import ChatTokenizer
from headrace.prompts.files import YamlTemplates
from headrace.prompts.template import Label, Message, Slots, Template
from headrace.runtime.paths import infra_dir

_MOST_BYTES: Final = 1_000_000
EPILOG: Final = """Slots that the template has of its own are filled by --slot; `headrace prompts list` names them.

Exit status: 0 done, 1 it went wrong, 2 there is no such template, slot or model.

Examples:

  headrace prompts render chat --text "What is a headrace?"

  headrace prompts render rewrite --text "ship it" --slot tone=formal --slot audience="the board"

  headrace prompts render classify --text "Broke." --label "good=I like it." --label "bad=I do not." --model
smollm2-135m-instruct
"""


def render_prompt(
    reference: Reference,
    *,
    text: Annotated[str, typer.Option(help="What a client asks.")] = "What is a headrace?",
    language: Annotated[str, typer.Option(help="The language of the text, ISO 639-1.")] = "en",
    instructions: Annotated[str, typer.Option(help="System messages of the client.")] = "",
    slot: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for a slot of the template's own.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="NAME=DESCRIPTION of a class.")] = None,
    schema: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, readable=True, help="A JSON schema for the answer.")
    ] = None,
    model: Annotated[str, typer.Option(help="Count the tokens of this model, too.")] = "",
    as_json: AsJson = False,
) -> None:
    """Render a template as it would go to a model, and count its tokens."""
    known = templates()
    template = the_one(known, reference)
    own = dict(_pair(each, "--slot") for each in slot or ())
    if unknown := sorted(own.keys() - template.slots.keys()):
        there = ", ".join(template.slots) or "none of its own"
        fail(f"template {template.name} has no slot {', '.join(unknown)}: it has {there}", Exit.USAGE)
    slots = Slots(
        text,
        language,
        tuple(Label(*_pair(each, "--label")) for each in label or ()) or template.labels,
        instructions,
        form="json_schema" if schema else "",
        json_schema=read_text(schema, _MOST_BYTES).strip() if schema else "",
        own=own,
    )
    messages = _messages(known, template, slots)
    tokens = _tokens(model, messages) if model else None
    if as_json:
        print_json(_facts(template, messages, tokens))
        return
    for message in messages:
        out.print(f"[bold]{message.role}[/]")
        out.print(escape(message.content), highlight=False, soft_wrap=True)
    if tokens is not None:
        out.print(f"[dim]{tokens:,} tokens of {escape(model)}[/]")


def _messages(known: YamlTemplates, template: Template, slots: Slots) -> list[Message]:
    rendered = known.render(template, slots)
    return [Message("system", rendered.instructions), *rendered.examples, Message("user", rendered.question)]


def _tokens(model: str, messages: list[Message]) -> int:
    try:
        spec = load_registry(infra_dir() / "models").get(model, task="chat")
        tokenizer = ChatTokenizer.load(prepare_tokenizer(spec))
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)
    except HeadraceError as exc:
        fail(str(exc))
    return tokenizer.count_messages([(message.role, message.content) for message in messages])


def _facts(template: Template, messages: list[Message], tokens: int | None) -> dict[str, Any]:
    said = [{"role": message.role, "content": message.content} for message in messages]
    return {"template": f"{template.name}/{template.version}", "messages": said, "tokens": tokens}


def _pair(given: str, option: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not name or not equals:
        fail(f"{option} {given!r} is no NAME=VALUE", Exit.USAGE)
    return name.strip(), value
