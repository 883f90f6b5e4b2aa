"""One run of `headrace ingest`: publish, delete, and wait for what becomes of it."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import assert_never

import httpx
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from headrace.cli.knowledge.files import Found, Readable, Unreadable, find_all, printable, read
from headrace.cli.knowledge.shelf import INDEXER, Shelf, ends_of
from headrace.cli.knowledge.web import client, fetch
from headrace.cli.output import err
from headrace.documents.conversion import Conversion
from headrace.documents.formats import CONVERTED_TYPES, MAX_TEXT_BYTES, TEXT_TYPES
from headrace.documents.limits import Limits
from headrace.messaging import topics
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Invalid
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.progress import remaining
from headrace.messaging.reaching import reach, reaching


@dataclass(slots=True)
class Report:
    """What was done; `indexed` is None where nobody waited."""

    published: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    indexed: bool | None = None

    def fail(self, what: object, reason: str) -> None:
        """Note what could not be done, and say so."""
        named = printable(str(what))
        self.failed.append({"path": named, "reason": reason})
        err.print(f"[red]{escape(named)}[/]: {escape(reason)}", soft_wrap=True)


class Ingestion:
    """What is to be done, on which shelf; `wait_seconds` is the patience without progress, None waits for nothing.

    `force` publishes what has not changed as well.
    """

    def __init__(self, bootstrap: str, shelf: Shelf, wait_seconds: float | None, *, force: bool = False) -> None:
        self._bootstrap = bootstrap
        self._shelf = shelf
        self._wait_seconds = wait_seconds
        self._force = force
        self._report = Report()
        cores = os.cpu_count() or 1
        self._conversion = Conversion(Limits(text_bytes=MAX_TEXT_BYTES), at_once=cores)
        # Read and held at a time.
        self._turn = asyncio.Semaphore(2 * cores)

    async def run(self, given: Sequence[str], delete: Sequence[str], *, delete_missing: bool) -> Report:
        """Publish, delete, wait; `Unreachable` where no broker answers."""
        await reach(self._bootstrap)
        with reaching(self._bootstrap):
            return await self._run(given, delete, delete_missing=delete_missing)

    async def _run(self, given: Sequence[str], delete: Sequence[str], *, delete_missing: bool) -> Report:
        before = await ends_of(self._bootstrap, topics.DEAD_LETTERS)
        found = list(await asyncio.to_thread(lambda: list(find_all(given))))
        listed = await self._shelf.listed(self._bootstrap)
        async with KafkaPublisher(self._bootstrap, "headrace.ingest") as publisher:
            await self._publish_all(found, {} if self._force else listed, publisher)
            gone = set(delete) & listed.keys()
            for document_id in sorted(set(delete) - gone):
                self._report.fail(document_id, f"collection {self._shelf.collection} has no such document to delete")
            if delete_missing and self._report.failed:
                # What could not be read is not missing, and a mistyped folder must not empty the collection.
                self._report.fail("--delete-missing", "nothing was deleted, since not all that was given could be read")
            elif delete_missing:
                gone |= listed.keys() - {each.document_id for each in found}
            for document_id in sorted(gone):
                await self._shelf.delete(document_id, publisher)
                self._report.deleted.append(document_id)
        if self._wait_seconds is not None:
            self._report.indexed = await self._worked_off(self._wait_seconds)
            for document_id, reason in (await self._shelf.refused(self._bootstrap, before)).items():
                self._report.fail(document_id, reason)
        return self._report

    async def _publish_all(
        self, found: Sequence[Found | Unreadable], listed: Mapping[str, str], publisher: Publisher
    ) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        async with AsyncExitStack() as stack:
            progress = stack.enter_context(Progress(*columns, console=err, transient=True, disable=not err.is_terminal))
            bar = progress.add_task("Publishing", total=len(found))
            http = await stack.enter_async_context(client())

            async def one(each: Found | Unreadable) -> None:
                async with self._turn:
                    await self._one(each, listed, publisher, http)
                progress.advance(bar)

            async with asyncio.TaskGroup() as tasks:
                for each in found:
                    tasks.create_task(one(each))
        # They come as they are done; a report is read in order.
        self._report.published.sort()
        self._report.unchanged.sort()

    async def _one(
        self, found: Found | Unreadable, listed: Mapping[str, str], publisher: Publisher, http: httpx.AsyncClient
    ) -> None:
        match await self._read(found, http):
            case Unreadable(place, _, reason):
                self._report.fail(place, reason)
            case Readable() as file if listed.get(file.document_id) == self._shelf.made_of(file):
                self._report.unchanged.append(file.document_id)
            case Readable() as file:
                try:
                    await publisher.publish(await self._message(file))
                    self._report.published.append(file.document_id)
                except Invalid as exc:
                    self._report.fail(file.place, str(exc))
            case never:
                assert_never(never)

    async def _read(self, found: Found | Unreadable, http: httpx.AsyncClient) -> Readable | Unreadable:
        if isinstance(found, Unreadable):
            return found
        return await fetch(found, http) if found.is_url else await asyncio.to_thread(read, found)

    async def _message(self, file: Readable) -> Outgoing:
        if file.content_type in TEXT_TYPES:
            # A byte order mark is the editor's, not the document's.
            return self._shelf.document(file, file.data.decode("utf-8-sig"))
        converted = await self._conversion(CONVERTED_TYPES[file.content_type], file.data)
        return self._shelf.document(file, converted.text, title=converted.title, is_markdown=True)

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
