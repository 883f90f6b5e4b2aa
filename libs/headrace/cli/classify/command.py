"""The command: options in, a run that can be cut off and taken up again, a summary out."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from headrace.cli.classify.labels import labels_of
from headrace.cli.classify.run import FileRun, count
from headrace.cli.completing import model_names, pipeline_names
from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.cli.training_wait import until_trained
from headrace.client.results.journal import Asked, Journal
from headrace.client.results.writing import write, writer_of
from headrace.client.reviews import Batch
from headrace.client.rows.row import Fields
from headrace.messaging.errors import HeadraceError, Invalid, Unreachable
from headrace.v1.reviews_pb2 import Label

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
# Some rows have no class: neither done nor failed.
_SOME_FAILED: Final = 4
# What shells report of a process that Ctrl-C ended.
_INTERRUPTED: Final = 130
EPILOG: Final = """FILE is JSONL with an object such as {"text": "Great!"} a line, CSV whose first row names its
columns, or Parquet; the output is of the kind that its name says (.jsonl, .csv, .parquet). An `id` is kept.

Cut off by Ctrl-C or worse, the same command goes on where it was; no row is done twice.

Exit status: 0 all rows have a class, 4 some have an error instead, 1 it went wrong, 2 the command line is wrong,
3 nothing runs that could answer, 130 interrupted.

Examples:

  headrace classify reviews.jsonl -o out.jsonl

  headrace classify reviews.csv -o out.parquet --text-field body

  headrace classify tickets.jsonl -o out.jsonl --labels "late=It came too late.,broken=It does not work."

  headrace classify tickets.jsonl -o out.jsonl --labels labels.yaml --model smollm2-135m-instruct
"""


def classify_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Texts, one a row.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="Results, in the order of FILE.")],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            help="Classes: name, or name=what such a text says; by commas, or a YAML file of them. "
            "Default: the model's own, else sentiment."
        ),
    ] = None,
    text_field: Annotated[str, typer.Option(help="The field or column that holds the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="The one that names the row.")] = "id",
    tenant: Annotated[str, typer.Option(help="Whose texts they are.")] = "default",
    pipeline: Annotated[str, typer.Option(help="A pipeline other than `reviews`.", autocompletion=pipeline_names)] = "",
    model: Annotated[str, typer.Option(help="A model other than the pipeline's.", autocompletion=model_names)] = "",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew instead of going on.")] = False,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long to wait without any result.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Put each text of a file into one class. A bad row is named by its line, and the rest goes on."""
    bootstrap = os.environ.get(_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {_BOOTSTRAP}", Exit.NOT_RUNNING)
    fields = Fields(text=text_field, id=id_field)
    chosen = _checked(file, output, labels or [])
    options = {
        "labels": {label.name: label.description for label in chosen},
        "text-field": text_field,
        "id-field": id_field,
        "tenant": tenant,
        "pipeline": pipeline,
        "model": model,
    }
    try:
        # Before anything is left behind: a file that cannot be read must not stand in the way of the next one.
        total = count(file, fields)
        journal = Journal.open(output, Asked(_digest(file), options), restart=restart)
        batch = Batch(
            labels=chosen, tenant=tenant, pipeline=pipeline, model=model, patience_s=wait_seconds, id=journal.batch_id
        )
        run = FileRun(file, fields, batch, journal, total)
    except HeadraceError as exc:
        fail(str(exc))
    except OSError as exc:
        fail(f"{exc.filename}: {exc.strerror}")
    with journal:
        _carry_out(run, model, bootstrap, journal, output)
    if as_json:
        print_json(run.tally.as_json(output))
    else:
        out.print(run.tally.table(output))
    run.tally.name_failures(err, output)
    if run.tally.failed:
        raise typer.Exit(_SOME_FAILED)


def _carry_out(run: FileRun, model: str, bootstrap: str, journal: Journal, output: Path) -> None:
    """Classify what is left and write the output; whatever comes between, the journal stays."""
    try:
        until_trained(model)
        asyncio.run(run.classify(bootstrap))
        write(output, run.results())
        journal.drop()
    except Unreachable as exc:
        fail(f"{exc}. {_kept(journal, run.total)}", Exit.NOT_RUNNING)
    except Invalid as exc:
        if len(journal):
            fail(f"{exc}. {_kept(journal, run.total)}", Exit.USAGE)
        # Nothing is worth going on from, and what is asked next is something else.
        journal.drop()
        fail(str(exc), Exit.USAGE)
    except HeadraceError as exc:
        fail(f"{exc}. {_kept(journal, run.total)}")
    except OSError as exc:
        fail(f"{exc.filename or journal.path}: {exc.strerror}. {_kept(journal, run.total)}")
    except KeyboardInterrupt:
        err.print(f"[yellow]interrupted[/] {_kept(journal, run.total)}", soft_wrap=True)
        raise typer.Exit(_INTERRUPTED) from None


def _kept(journal: Journal, total: int) -> str:
    return f"{len(journal):,} of {total:,} rows are in {journal.path}: the same command goes on from there"


def _checked(file: Path, output: Path, labels: list[str]) -> list[Label]:
    """What can be wrong with the command line alone."""
    try:
        writer_of(output)
        if not output.parent.is_dir():
            raise Invalid(f"there is no folder {output.parent}: create it first")
        if output.exists() and output.samefile(file):
            raise Invalid(f"{output} is what is to be classified: name another --output")
        return labels_of(labels)
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
