"""A batch of reviews by the topics: out to `headrace.reviews.v1`, back from `headrace.reviews.classified.v1`."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from headrace.client.rows.row import Row
from headrace.messaging import topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fatal, HeadraceError, Invalid, Retryable, Undecodable
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.reaching import reach
from headrace.messaging.records import Received
from headrace.messaging.tail import Started, end_offsets, follow, partitions_of
from headrace.v1.responses_pb2 import Error
from headrace.v1.reviews_pb2 import Label, ReviewClassified, ReviewSubmitted

Result = tuple[int, ReviewClassified]


@dataclass(frozen=True, slots=True)
class Batch:
    """How a batch is to be classified. Its id is its own, so that a file may be classified again."""

    labels: Sequence[Label] = ()
    tenant: str = "default"
    # Empty: the service's defaults.
    pipeline: str = ""
    model: str = ""
    # So many reviews are under way at a time: what a reader that goes away leaves behind is bounded.
    window: int = 500
    # No result for so long, with reviews under way, means that nobody works on them.
    patience_s: float = 120.0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def review(self, row: Row) -> Outgoing:
        """The message of a row. The line number makes its id unique, whatever ids the file has."""
        review_id = f"{self.id}/{row.line}"
        message = ReviewSubmitted(
            review_id=review_id,
            batch_id=self.id,
            tenant=self.tenant,
            text=row.text,
            labels=self.labels,
            pipeline=self.pipeline,
            model=self.model,
        )
        return Outgoing(topics.REVIEWS, review_id, message, tenant=self.tenant)


async def classify(
    bootstrap: str,
    batch: Batch,
    rows: Iterable[Row],
    *,
    since: Mapping[int, int] | None = None,
    begin: Callable[[Mapping[int, int]], None] = lambda _offsets: None,
) -> AsyncGenerator[Result]:
    """Yield line and result of each row as they come; raise `Unreachable` if no broker is there.

    `begin` is told from which offset on each partition may hold a result, before the first row is sent. A batch that
    goes on hands these in as `since`: what came in the meantime is yielded first, whatever row it is of, and only then
    is the first of `rows` asked for.
    """
    await reach(bootstrap)
    places = await partitions_of(bootstrap, topics.REVIEWS_CLASSIFIED)
    if not places:
        raise Fatal(f"the broker has no topic {topics.REVIEWS_CLASSIFIED}: create the topics with `headrace topics`")
    ends = await end_offsets(bootstrap, places)
    if since:
        before = {place: min(since.get(place.partition, ends[place]), ends[place]) for place in places}
        async for record in follow(bootstrap, before, ends):
            if (result := _result(batch, record)) is not None:
                yield result
    run = _Run(batch)
    async with KafkaPublisher(bootstrap, client_id="headrace.classify") as publisher:
        started = Started()
        reading = asyncio.create_task(run.read(follow(bootstrap, ends, started=started)))
        sending = asyncio.create_task(run.send(rows, publisher, started, begin))
        try:
            async for result in run.results():
                yield result
        finally:
            for task in (sending, reading):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@dataclass(frozen=True, slots=True)
class _AllSent:
    """Nothing more will be published."""


class _Run:
    """A batch under way: a sender and a reader that meet in a queue."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._free = asyncio.Semaphore(batch.window)
        self._open: set[int] = set()
        self._news: asyncio.Queue[Result | _AllSent | Exception] = asyncio.Queue()

    async def send(
        self, rows: Iterable[Row], publisher: Publisher, started: Started, begin: Callable[[Mapping[int, int]], None]
    ) -> None:
        """Publish every row, a window ahead of the results, once the reader is where it sees them all."""
        try:
            positions = await started.wait()
            begin({place.partition: offset for place, offset in positions.items()})
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    await self._free.acquire()
                    self._open.add(row.line)
                    group.create_task(self._publish(row, publisher))
            self._news.put_nowait(_AllSent())
        except Exception as exc:  # noqa: BLE001 - told to whoever waits for the results
            self._news.put_nowait(exc)

    async def _publish(self, row: Row, publisher: Publisher) -> None:
        try:
            await publisher.publish(self._batch.review(row))
        except Invalid as exc:
            # The row is at fault, such as one too large for a message; the others go on.
            error = Error(code=exc.code, message=str(exc), field=exc.field)
            self._news.put_nowait((row.line, ReviewClassified(batch_id=self._batch.id, error=error)))
        except HeadraceError as exc:
            self._news.put_nowait(exc)

    async def read(self, records: AsyncIterator[Received]) -> None:
        """Pick this batch's results out of all."""
        try:
            async for record in records:
                if (result := _result(self._batch, record)) is not None:
                    self._news.put_nowait(result)
        except Exception as exc:  # noqa: BLE001 - told to whoever waits for the results
            self._news.put_nowait(exc)

    async def results(self) -> AsyncIterator[Result]:
        """Each row's first result; a redelivered one is the same again."""
        sent = False
        while not sent or self._open:
            match await self._next():
                case _AllSent():
                    sent = True
                case Exception() as exc:
                    raise exc
                case (line, classified):
                    if line in self._open:
                        self._open.discard(line)
                        self._free.release()
                        yield line, classified

    async def _next(self) -> Result | _AllSent | Exception:
        try:
            async with asyncio.timeout(self._batch.patience_s):
                return await self._news.get()
        except TimeoutError:
            return Retryable(
                f"no result for {self._batch.patience_s:g} s with {len(self._open)} reviews under way: "
                "`headrace status` shows whether the services run"
            )


def _result(batch: Batch, record: Received) -> Result | None:
    """Line and result, if the record is this batch's."""
    try:
        classified = decode(record.value or b"", ReviewClassified, record.headers.get(CONTENT_TYPE, ""))
    except Undecodable:
        return None
    prefix, _, line = classified.review_id.rpartition("/")
    return (int(line), classified) if prefix == batch.id and line.isdecimal() else None
