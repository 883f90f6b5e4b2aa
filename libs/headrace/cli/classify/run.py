"""One run over a file: what is left of it goes out, what comes back is kept and counted."""

import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from headrace.cli.classify.summary import Tally
from headrace.cli.output import err
from headrace.client.results.journal import Journal
from headrace.client.reviews import Batch, classify
from headrace.client.rows.reading import rows_of
from headrace.client.rows.row import BadRow, Fields, Row
from headrace.messaging.errors import Invalid
from headrace.v1.reviews_pb2 import ReviewClassified

# Fields that every row of a run has alike: a fault of one is a fault of all.
_OF_ALL: Final = frozenset({"model", "pipeline", "labels"})


def count(file: Path, fields: Fields) -> int:
    """How many rows there are, good and bad; `Invalid` where the file cannot be read.

    Read to be counted, again for the run and again for the output, so that a file larger than the memory can be
    classified.
    """
    return sum(1 for _ in rows_of(file, fields))


class FileRun:
    """The rows of a file that have no result yet, and the count of all results."""

    def __init__(self, file: Path, fields: Fields, batch: Batch, journal: Journal, total: int) -> None:
        self.total = total
        self.tally = Tally(before=len(journal))
        self._file = file
        self._fields = fields
        self._batch = batch
        self._journal = journal
        for line in journal:
            self.tally.count(line, journal[line])

    async def classify(self, bootstrap: str) -> None:
        """Until every row has a result; `Invalid` where what is wrong is not the row but what was asked of all."""
        started_s = time.monotonic()
        with _progress() as progress:
            task = progress.add_task("classify", total=self.total, completed=len(self._journal), speed="")
            since = dict(self._journal.since)
            results = classify(bootstrap, self._batch, self._left(), since=since, begin=self._journal.begin)
            # Closed with it, whatever ends it: its connections to the broker are.
            async with aclosing(results):
                async for line, classified in results:
                    if classified.error.field in _OF_ALL:
                        raise Invalid(classified.error.message)
                    self._keep(line, _result(classified))
                    self.tally.seconds = time.monotonic() - started_s
                    progress.update(task, completed=len(self._journal), speed=f"{self.tally.per_second:.1f}/s")

    def results(self) -> Iterator[dict[str, Any]]:
        """What every row came to, in the order of the file."""
        for row in rows_of(self._file, self._fields):
            yield {"line": row.line, "id": row.id, **self._journal[row.line]}

    def _left(self) -> Iterator[Row]:
        for row in rows_of(self._file, self._fields):
            if isinstance(row, BadRow):
                self._keep(row.line, {"error": {"code": "bad_row", "message": row.reason, "field": ""}})
            elif row.line not in self._journal:
                yield row

    def _keep(self, line: int, result: dict[str, Any]) -> None:
        if self._journal.add(line, result):
            self.tally.count(line, result)


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
