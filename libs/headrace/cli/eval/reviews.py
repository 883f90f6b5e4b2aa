"""`headrace eval reviews`: how often the stack that runs here calls a review what its writer meant."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer
from rich.table import Table

from headrace.bench.intervals import Interval
from headrace.cli.dlq.progress import bar
from headrace.cli.eval.review_set import LABELS, reviews
from headrace.cli.output import Exit, err, fail, print_figures, print_json
from headrace.cli.training_wait import until_trained
from headrace.client.reviews import Batch, classify
from headrace.client.rows.row import Row
from headrace.messaging.errors import HeadraceError
from headrace.models.classifier.measuring import Figures, measure

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
_BASELINE: Final = "VADER (rules)"
_DEFAULT: Final = "review-sentiment"
EPILOG: Final = """Reviews of films (IMDB, Maas et al. 2011) are classified by the stack that runs here, as `headrace
classify` would. No model here was trained on them: review-sentiment learnt from snippets about films and wares and from
tweets (Hutto and Gilbert 2014). VADER is the same authors' list of words and rules.

Accuracy has Wilson's interval, macro-F1 a bootstrapped one, both of 95 %. What got an error counts as wrong.

Exit status: 0 done, 1 it went wrong, 3 nothing runs that could answer.

Examples:

  headrace eval reviews

  headrace eval reviews --model review-sentiment --model qwen2.5-coder-0.5b-instruct --reviews 400 --json
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on the sample."""

    model: str
    figures: Figures
    errors: int
    seconds: float


def eval_reviews(
    *,
    model: Annotated[list[str] | None, typer.Option(help=f"A model; may be repeated. [default: {_DEFAULT}]")] = None,
    count: Annotated[int, typer.Option("--reviews", min=10, help="How many reviews.")] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed, other reviews.")] = 1,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long to wait without any result.")] = 300.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure how well reviews are classified, against rules alone."""
    bootstrap = os.environ.get(_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {_BOOTSTRAP}", Exit.NOT_RUNNING)
    try:
        rows = reviews(count, seed)
        measured = [_rules(rows)]
        for name in model or [_DEFAULT]:
            until_trained(name)
            batch = Batch(model=name, patience_s=wait_seconds)
            measured.append(asyncio.run(_by_the_stack(bootstrap, batch, rows)))
    except HeadraceError as exc:
        fail(str(exc))
    if as_json:
        print_json({"reviews": len(rows), "seed": seed, "models": [asdict(each) for each in measured]})
    else:
        print_figures(_table(measured))


async def _by_the_stack(bootstrap: str, batch: Batch, rows: Sequence[Row]) -> Measured:
    began = time.monotonic()
    found: dict[int, str] = {}
    reasons: Counter[str] = Counter()
    with bar(batch.model, len(rows)) as advance:
        async for line, classified in classify(bootstrap, batch, rows):
            found[line] = classified.label
            if classified.HasField("error"):
                reasons[classified.error.message] += 1
            advance(1)
    seconds = time.monotonic() - began
    for reason, times in reasons.items():
        err.print(f"[yellow]{batch.model}[/] {times} times: {reason}", soft_wrap=True)
    return Measured(batch.model, _figures(rows, [found[row.line] for row in rows]), reasons.total(), seconds)


def _rules(rows: Sequence[Row]) -> Measured:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as exc:
        fail(f"{exc.name} is not installed, and the baseline needs it: pip install 'headrace[eval]'")
    analyzer = SentimentIntensityAnalyzer()
    began = time.monotonic()
    found: list[str] = []
    with bar(_BASELINE, len(rows)) as advance:
        for row in rows:
            found.append(LABELS[analyzer.polarity_scores(row.text)["compound"] >= 0])
            advance(1)
    return Measured(_BASELINE, _figures(rows, found), 0, time.monotonic() - began)


def _figures(rows: Sequence[Row], found: Sequence[str]) -> Figures:
    truth = [LABELS.index(row.label) for row in rows]
    # What is neither of the two is wrong, whichever would have been right.
    guesses = [LABELS.index(label) if label in LABELS else 1 - right for label, right in zip(found, truth, strict=True)]
    return measure(truth, guesses, LABELS)


def _table(measured: Sequence[Measured]) -> Table:
    table = Table(title=f"{measured[0].figures.texts:,} reviews", title_justify="left", box=None)
    for column in ("model", "accuracy", "95 %", "macro-F1", "95 %", "errors", "reviews/s"):
        table.add_column(column, justify="left" if column == "model" else "right", no_wrap=True)
    for each in measured:
        pace = f"{each.figures.texts / each.seconds:,.1f}"
        shown = (*_shown(each.figures.accuracy), *_shown(each.figures.macro_f1), f"{each.errors}", pace)
        table.add_row(each.model, *shown)
    return table


def _shown(interval: Interval) -> tuple[str, str]:
    return f"{interval.value:.3f}", f"{interval.low:.3f}-{interval.high:.3f}"
