"""`headrace feedback export`: examples that a model can be trained on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from headrace.cli.feedback.asking import EXIT_STATUS, Json, Pipeline, Tenant, ask, window
from headrace.cli.output import Exit, err, fail, out, print_json

_SKIPPED: Final = {
    "no_consent": "without consent",
    "below_rating": "not rated well enough",
    "empty": "empty",
    "duplicate": "said before",
}
EPILOG: Final = f"""Only answers whose raters let them be trained on; whoever takes that back later is heard. A
correction stands in place of the answer, whatever the rating; else the answer counts whose raters gave it --min-rating
on the mean (a thumb up is 5 stars, one down is 1). Personal data and credentials are masked by safety's recognisers,
alike in prompt and completion; what is said twice is written once. The file is there when all of it is written.

{EXIT_STATUS}

Examples:

  headrace feedback export -o train.jsonl                      {{"prompt": …, "completion": …}} a line

  headrace feedback export -o train.jsonl --format chat        {{"messages": [user, assistant]}} a line

  headrace feedback export -o week.jsonl --since 7d --min-rating 5 --json
"""


class Shape(StrEnum):
    """What a line looks like."""

    PROMPT = "prompt"
    CHAT = "chat"


def export(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The examples, JSONL.")],
    shape: Annotated[Shape, typer.Option("--format", help="prompt and completion, or chat messages.")] = Shape.PROMPT,
    min_rating: Annotated[float, typer.Option(min=1, max=5, help="Stars that an answer needs.")] = 4,
    since: Annotated[str, typer.Option(help="What was rated since: 7d, yesterday, 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="What was rated before.")] = "",
    tenant: Tenant = "",
    pipeline: Pipeline = "",
    as_json: Json = False,
) -> None:
    """Write what people liked or corrected as examples to train on."""
    if output.suffix.lower() not in {".jsonl", ".ndjson"}:
        fail(f"{output} would be JSONL: let its name end in .jsonl", Exit.USAGE)
    if not output.parent.is_dir():
        fail(f"there is no folder {output.parent}: create it first", Exit.USAGE)
    request = window(tenant=tenant, pipeline=pipeline, since=since, until=until)
    request |= {"least_worth": (min_rating - 1) / 4, "shape": shape.value, "output": str(output.resolve())}
    with err.status("exporting", spinner="dots"):
        summary = ask("export", request)
    if as_json:
        print_json(summary)
    else:
        _tell(summary, output)
    if not summary["examples"]:
        raise typer.Exit(Exit.FAILED)


def _tell(summary: dict[str, Any], output: Path) -> None:
    left = ", ".join(f"{count:,} {_SKIPPED[reason]}" for reason, count in summary["skipped"].items() if count)
    looked = f"{summary['answers']:,} answers were rated" + (f"; left out: {left}" if left else "")
    if not summary["examples"]:
        err.print(f"nothing to export: {looked}", highlight=False)
        return
    out.print(f"{summary['examples']:,} examples in {output}, {summary['corrected']:,} of them corrected", markup=False)
    out.print(looked, highlight=False)
    if masked := ", ".join(f"{kind} {count:,}" for kind, count in summary["masked"].items()):
        out.print(f"masked: {masked}", highlight=False)
