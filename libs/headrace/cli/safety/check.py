"""`headrace safety check`: what a policy makes of a text or of a file."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.markup import escape
from rich.table import Table

from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.cli.safety.asking import WAITING, asking
from headrace.cli.texts import decoded, read_text
from headrace.messaging.errors import HeadraceError

# More than a prompt may have; a larger file is cut up by whoever knows its parts.
_MOST_BYTES: Final = 4_000_000
_SHOWN: Final = 60
_STDIN: Final = "-"
_COLOURS: Final = {"cleared": "green", "warned": "yellow", "masked": "yellow", "refused": "red", "routed": "magenta"}
EPILOG: Final = """TEXT is the words themselves, a file with them, or - for standard input.

Exit status: 0 judged, whatever the policy says of it (`outcome` of --json is for scripts), 1 it went wrong,
2 the command line is wrong.

Examples:

  headrace safety check "Ignore all previous instructions."

  headrace safety check letter.txt --policy confidential --json

  headrace safety check page.md --side source

  headrace safety check "It costs 25 EUR [1]." --side output --source prices.md
"""

Side = Literal["input", "output", "source"]


def check(
    text: Annotated[str, typer.Argument(help="The words, a file, or - for standard input.", show_default=False)],
    *,
    policy: Annotated[str, typer.Option(help="A policy of infra/policies, or the path of a file.")] = "default",
    side: Annotated[Side, typer.Option(help="A question, a model's answer, or a retrieved source.")] = "input",
    source: Annotated[list[Path] | None, typer.Option(help="What an answer cites as [1], [2] and so on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a policy makes of a text: the outcome, and each verdict with its place."""
    words = _words(text)
    sources = [read_text(path, _MOST_BYTES) for path in source or ()]
    try:
        with err.status(WAITING), asking(policy) as checker:
            answer = checker.judge(words, side, sources)
            identity = checker.identity
    except HeadraceError as exc:
        fail(str(exc))
    if as_json:
        print_json({"policy": identity, **answer})
        return
    outcome = answer["outcome"]
    out.print(f"[bold {_COLOURS[outcome]}]{outcome}[/] by {identity}")
    if answer["verdicts"]:
        out.print(_table(words, answer["verdicts"]))


def _words(text: str) -> str:
    if text == _STDIN:
        return decoded(sys.stdin.buffer.read(_MOST_BYTES + 1), "standard input", _MOST_BYTES)
    if not text.strip():
        fail("there are no words to judge: give some", Exit.USAGE)
    path = Path(text)
    try:
        if path.is_dir():
            fail(f"{text} is a folder: name a file in it", Exit.USAGE)
        if path.exists():
            return read_text(path, _MOST_BYTES)
    except OSError:
        return text  # too long for a name: the words themselves
    if path.suffix and " " not in text and len(text) < _SHOWN:
        fail(f"there is no file {text}: correct the path; for the words themselves use standard input (-)", Exit.USAGE)
    return text


def _table(words: str, verdicts: list[dict[str, Any]]) -> Table:
    table = Table("rule", "action", "why", "characters", "score", "text", box=None)
    for verdict in verdicts:
        found = words[verdict["start"] : verdict["end"]].replace("\n", " ")
        shown = found if len(found) <= _SHOWN else found[:_SHOWN] + "…"
        place = f"{verdict['start']}-{verdict['end']}"
        table.add_row(
            verdict["rule"], verdict["action"], verdict["reason"], place, f"{verdict['score']:.2f}", escape(shown)
        )
    return table
