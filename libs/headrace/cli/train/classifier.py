"""`headrace train classifier`: a classifier from labelled texts, registered like any model."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.client.rows.reading import rows_of
from headrace.client.rows.row import BadRow, Fields, Row
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.runtime.paths import infra_dir

_NAMED: Final = 10
# A class with fewer texts can be neither learned nor judged.
_LEAST_TEXTS: Final = 10
_LEAST_CLASSES: Final = 2
_MOST_CLASSES: Final = 20
EPILOG: Final = """FILE is JSONL such as {"text": "Great!", "label": "positive"} a line, CSV or Parquet.

The figures are of texts that the model was not trained on, by five-fold cross-validation; the model that is kept is
trained on all. It stands in infra/models/NAME.yaml, its weights in the data folder. Services know it from their next
start on; name it with `headrace classify --model NAME`, or in infra/pipelines/reviews.yaml.

Exit status: 0 done, 1 it went wrong, 2 the command line or what is in FILE is wrong.

Examples:

  headrace train classifier tickets.jsonl --name tickets

  headrace train classifier reviews.csv --name stars --text-field body --label-field stars --json
"""


def train_classifier(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Texts with their class.")],
    *,
    name: Annotated[str, typer.Option(help="What the model is to be called.")],
    text_field: Annotated[str, typer.Option(help="The field or column that holds the text.")] = "text",
    label_field: Annotated[str, typer.Option(help="The one that holds the class.")] = "label",
    encoder: Annotated[str, typer.Option(help="The embedding model under it.")] = "bge-small-en-v1.5",
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model of that name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train a classifier on labelled texts, print how good it is, and register it."""
    try:
        from headrace.models.classifier.registering import Wanted, register_classifier
    except ImportError as exc:
        fail(f"{exc.name} is not installed, and training needs it: pip install 'headrace[training]'")
    try:
        rows, bad = _read(file, Fields(text=text_field, label=label_field))
        _enough(rows, file)
        wanted = Wanted(name, encoder, infra_dir() / "models", replace=replace)
        made = register_classifier([(row.text, row.label) for row in rows], wanted)
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)
    except HeadraceError as exc:
        fail(str(exc))
    if as_json:
        print_json({"model": name, "revision": made.revision, "yaml": str(made.path), **asdict(made.figures)})
    else:
        out.print(_table(name, made))
    for row in bad[:_NAMED]:
        err.print(f"[yellow]line {row.line}[/] left out: {escape(row.reason)}", soft_wrap=True)
    if (more := len(bad) - _NAMED) > 0:
        err.print(f"and {more:,} more")


def _read(file: Path, fields: Fields) -> tuple[list[Row], list[BadRow]]:
    rows: list[Row] = []
    bad: list[BadRow] = []
    for row in rows_of(file, fields):
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            rows.append(row)
    if bad and not rows:
        raise Invalid(f"no row of {file} can be used; line {bad[0].line}: {bad[0].reason}")
    return rows, bad


def _enough(rows: list[Row], file: Path) -> None:
    counts = Counter(row.label for row in rows)
    if not _LEAST_CLASSES <= len(counts) <= _MOST_CLASSES:
        raise Invalid(f"{file} has {len(counts)} classes: {_LEAST_CLASSES} to {_MOST_CLASSES} can be told apart")
    label, texts = min(counts.items(), key=lambda item: item[1])
    if texts < _LEAST_TEXTS:
        raise Invalid(f"{file} has {texts} texts of {label!r}: each class needs at least {_LEAST_TEXTS}")


def _table(name: str, made: Any) -> Table:
    figures = made.figures
    table = Table(title=f"{name} {made.revision}: {figures.texts:,} texts, five-fold", title_justify="left")
    for column in ("class", "texts", "precision", "recall", "F1"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for each in figures.classes:
        table.add_row(
            escape(each.label), f"{each.texts:,}", f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}"
        )
    accuracy, f1 = figures.accuracy, figures.macro_f1
    table.caption = (
        f"accuracy {accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f}), "
        f"macro-F1 {f1.value:.3f} ({f1.low:.3f} to {f1.high:.3f}); {made.path}"
    )
    return table
