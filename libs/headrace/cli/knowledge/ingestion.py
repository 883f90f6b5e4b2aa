"""One run of `headrace ingest`: publish, delete, and wait for what becomes of it."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from rich.markup import escape
from rich.progress import track

from headrace.cli.knowledge.files import Readable, Unreadable, read_all
from headrace.cli.knowledge.shelf import INDEXER, Shelf, ends_of
from headrace.cli.output import err
from headrace.messaging import topics
from headrace.messaging.contract import Publisher
from headrace.messaging.errors import Invalid
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.progress import reaching, remaining


@dataclass(slots=True)
class Report:
    """What was done; `indexed` is None where nobody waited."""

    published: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    indexed: bool | None = None

    def fail(self, what: object, reason: str) -> None:
        """Note what could not be done, and say so."""
        self.failed.append({"path": str(what), "reason": reason})
        err.print(f"[red]{escape(str(what))}[/]: {escape(reason)}", soft_wrap=True)


class Ingestion:
    """What is to be done, on which shelf; `wait_seconds` is the patience without progress, None waits for nothing."""

    def __init__(self, bootstrap: str, shelf: Shelf, wait_seconds: float | None) -> None:
        self._bootstrap = bootstrap
        self._shelf = shelf
        self._wait_seconds = wait_seconds
        self._report = Report()

    async def run(self, paths: Sequence[Path], delete: Sequence[str], *, delete_missing: bool) -> Report:
        """Publish, delete, wait; `Retryable` where the broker cannot be reached."""
        with reaching(self._bootstrap):
            return await self._run(paths, delete, delete_missing=delete_missing)

    async def _run(self, paths: Sequence[Path], delete: Sequence[str], *, delete_missing: bool) -> Report:
        before = await ends_of(self._bootstrap, topics.DEAD_LETTERS)
        files = list(read_all(paths))
        async with KafkaPublisher(self._bootstrap, "headrace.ingest") as publisher:
            await self._publish(files, publisher)
            gone = set(delete)
            if delete_missing and self._report.failed:
                # What could not be read is not missing, and a mistyped folder must not empty the collection.
                self._report.fail("--delete-missing", "nothing was deleted, since not all that was given could be read")
            elif delete_missing:
                gone |= await self._shelf.listed(self._bootstrap) - {file.document_id for file in files}
            for document_id in sorted(gone):
                await self._shelf.delete(document_id, publisher)
                self._report.deleted.append(document_id)
        if self._wait_seconds is not None:
            self._report.indexed = await self._worked_off(self._wait_seconds)
            for document_id, reason in (await self._shelf.refused(self._bootstrap, before)).items():
                self._report.fail(document_id, reason)
        return self._report

    async def _publish(self, files: Iterable[Readable | Unreadable], publisher: Publisher) -> None:
        for file in track(list(files), "Publishing", console=err, disable=not err.is_terminal, transient=True):
            match file:
                case Unreadable():
                    self._report.fail(file.path, file.reason)
                case Readable():
                    try:
                        await publisher.publish(self._shelf.document(file))
                        self._report.published.append(file.document_id)
                    except Invalid as exc:
                        self._report.fail(file.path, str(exc))
                case never:
                    assert_never(never)

    async def _worked_off(self, patience_s: float) -> bool:
        ends = await ends_of(self._bootstrap, topics.KNOWLEDGE)
        steps = remaining(self._bootstrap, INDEXER, ends)
        fewest, loop = sys.maxsize, asyncio.get_running_loop()
        last_progress = loop.time()
        with err.status("Indexing…") as status:
            async for left in steps:
                if left < fewest:
                    fewest, last_progress = left, loop.time()
                    status.update(f"Indexing… {left} to go")
                if left and loop.time() - last_progress > patience_s:
                    await steps.aclose()
                    err.print(
                        f"[yellow]no progress for {patience_s:.0f} s, {left} to go[/]: is grounding running "
                        "(`headrace status`)? What was published waits on its topic and is not lost.",
                        soft_wrap=True,
                    )
                    return False
        return True
