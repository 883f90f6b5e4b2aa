"""`headrace classify`: a file of texts, each into one class, by the reviews pipeline."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.client.in_order import InOrder, replacing
from headrace.client.reviews import Batch, classify
from headrace.client.rows import BadRow, Row, parse
from headrace.messaging.errors import HeadraceError
from headrace.v1.reviews_pb2 import Label, ReviewClassified

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
# So many rows that failed are named on the terminal; the output names all.
_NAMED: Final = 20
_LEAST_LABELS: Final = 2
# Some rows have no class: neither done nor failed.
_SOME_FAILED: Final = 4
_EPILOG: Final = """Each line of FILE is an object such as {"text": "Great!"}, with an "id" if it has one.

Exit status: 0 all rows have a class, 4 some have an error instead, 1 it went wrong, 3 nothing runs that could answer.

Examples:

  headrace classify reviews.jsonl -o out.jsonl

  headrace classify tickets.jsonl -o out.jsonl --labels "late=It came too late.,broken=It does not work."
"""


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    labels: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.labels.total() + len(self.failed)

    @property
    def per_second(self) -> float:
        """Classified rows a second."""
        return self.labels.total() / self.seconds if self.seconds else 0.0


def register(root: typer.Typer) -> None:
    """Add `headrace classify`."""
    root.command("classify", epilog=_EPILOG)(classify_file)


def classify_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Texts, a JSON object a line.")
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="Results, in the order of FILE.")],
    labels: Annotated[
        list[str] | None,
        typer.Option(help="Classes: name, or name=what such a text says; by commas. Default: sentiment."),
    ] = None,
    text_field: Annotated[str, typer.Option(help="The field that holds the text.")] = "text",
    tenant: Annotated[str, typer.Option(help="Whose texts they are.")] = "default",
    pipeline: Annotated[str, typer.Option(help="A pipeline other than `reviews`.")] = "",
    model: Annotated[str, typer.Option(help="A model other than the pipeline's.")] = "",
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long to wait without any result.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Put each text of a file into one class. A bad row is named by its line, and the rest goes on."""
    bootstrap = os.environ.get(_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {_BOOTSTRAP}", Exit.NOT_RUNNING)
    batch = Batch(labels=_labels(labels or []), tenant=tenant, pipeline=pipeline, model=model, patience_s=wait_seconds)
    if not output.parent.is_dir():
        fail(f"there is no folder {output.parent}: create it first", Exit.USAGE)
    try:
        tally = asyncio.run(_classify(bootstrap, batch, file, output, text_field))
    except HeadraceError as exc:
        fail(f"{exc}. Rows that have a class already are in {output}.partial")
    if as_json:
        print_json(_as_json(tally, output))
    else:
        out.print(_table(tally, output))
    for line, reason in tally.failed[:_NAMED]:
        err.print(f"[yellow]line {line}[/]: {escape(reason)}", soft_wrap=True)
    if (more := len(tally.failed) - _NAMED) > 0:
        err.print(f"and {more} more; {escape(str(output))} names them all", soft_wrap=True)
    if tally.failed:
        raise typer.Exit(_SOME_FAILED)


async def _classify(bootstrap: str, batch: Batch, file: Path, output: Path, text_field: str) -> Tally:
    tally, started_s = Tally(), time.monotonic()
    # Read twice, so that a file larger than the memory can be classified, with a total from the start.
    total = sum(1 for _ in _read(file, text_field))
    ids: dict[int, str | int] = {}
    with _progress() as progress, replacing(output) as target:
        task = progress.add_task("classify", total=total, speed="")
        writer = InOrder(target, (row.line for row in _read(file, text_field)))

        def done(line: int, content: dict[str, Any]) -> None:
            writer.add(line, {"line": line, "id": ids.pop(line), **content})
            progress.update(task, advance=1, speed=f"{tally.per_second:.1f}/s")

        def good() -> Iterator[Row]:
            for row in _read(file, text_field):
                ids[row.line] = row.id
                if isinstance(row, BadRow):
                    tally.failed.append((row.line, row.reason))
                    done(row.line, {"error": {"code": "bad_row", "message": row.reason}})
                else:
                    yield row

        async for line, classified in classify(bootstrap, batch, good()):
            tally.seconds = time.monotonic() - started_s
            _count(tally, line, classified)
            done(line, _result(classified))
    tally.failed.sort()
    return tally


def _read(file: Path, text_field: str) -> Iterator[Row | BadRow]:
    with file.open("rb") as lines:
        yield from parse(lines, text_field=text_field)


def _count(tally: Tally, line: int, classified: ReviewClassified) -> None:
    if classified.HasField("error"):
        tally.failed.append((line, classified.error.message or classified.error.code))
    else:
        tally.labels[classified.label] += 1


def _result(classified: ReviewClassified) -> dict[str, Any]:
    if classified.HasField("error"):
        error = classified.error
        return {"error": {"code": error.code, "message": error.message, "field": error.field}}
    return {
        "label": classified.label,
        "confidence": classified.confidence,
        "scores": dict(classified.scores),
        "model": classified.model,
        "versions": dict(classified.versions),
    }


def _labels(given: list[str]) -> list[Label]:
    parts = [part.strip() for text in given for part in text.split(",") if part.strip()]
    labels = [Label(name=name.strip(), description=description.strip())
              for name, _, description in (part.partition("=") for part in parts)]  # fmt: skip
    if parts and len({label.name.casefold() for label in labels}) < max(len(labels), _LEAST_LABELS):
        fail("--labels needs at least 2 classes with different names, such as good,bad", Exit.USAGE)
    return labels


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def _table(tally: Tally, output: Path) -> Table:
    table = Table(title=f"{tally.rows} rows into {output}", title_justify="left")
    table.add_column("class")
    table.add_column("rows", justify="right")
    table.add_column("share", justify="right")
    for label, rows in tally.labels.most_common():
        table.add_row(escape(label), str(rows), f"{rows / tally.rows:.0%}")
    if tally.failed:
        table.add_row("[yellow]error[/]", str(len(tally.failed)), f"{len(tally.failed) / tally.rows:.0%}")
    table.caption = f"{tally.seconds:.1f} s, {tally.per_second:.1f} reviews/s"
    return table


def _as_json(tally: Tally, output: Path) -> dict[str, Any]:
    return {
        "rows": tally.rows,
        "labels": dict(tally.labels.most_common()),
        "failed": [{"line": line, "message": reason} for line, reason in tally.failed],
        "seconds": round(tally.seconds, 3),
        "per_second": round(tally.per_second, 3),
        "output": str(output),
    }
