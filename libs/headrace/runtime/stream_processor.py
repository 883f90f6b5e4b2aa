"""Runs a stage on streams: folds a turn's deltas in order, holding their offsets until the stream has ended.

After a crash the log is read again from the start of every unfinished stream, so that the state needs no store.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span

from headrace.messaging import headers
from headrace.messaging.codec import decode
from headrace.messaging.errors import Undecodable
from headrace.messaging.processing import Finished, Held, Processed, Released
from headrace.messaging.records import Received, TopicPartition, header_int
from headrace.runtime.context import Surroundings, context_of
from headrace.runtime.service import StreamStage
from headrace.runtime.spans import marking_errors, start_span
from headrace.telemetry import attributes, metrics

# A stream whose end has not come this long after its deadline will never end: its maker is gone and its turn answered.
GRACE_MS = 60_000
# One without a deadline will not after so long a silence; a message that waits for its next try is silent for 300 s.
WITHOUT_DEADLINE_S = 600.0
# No deadline that somebody wrote into a header holds a partition's offsets for longer.
LONGEST_MS = 3_600_000


@dataclass(slots=True)
class _Stream:
    span: Span
    last: Received
    # Until when it is waited for, epoch milliseconds; 0: as long as its messages come.
    until_ms: int
    state: Any = None
    deltas: int = 0
    broken: bool = False
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)

    def close(self) -> None:
        self.span.set_attribute(attributes.DELTAS, self.deltas)
        self.span.end()
        if self.expiry:
            self.expiry.cancel()


class StreamProcessor:
    """One `StreamStage`. `release` frees the held offsets of a stream that will not end by itself.

    `behind` says whether records of a partition wait to be worked on.
    """

    streaming = True

    def __init__(self, stage: StreamStage, around: Surroundings) -> None:
        self._stage = stage
        self._around = around
        self._streams: dict[tuple[TopicPartition, str], _Stream] = {}
        self.stage = stage.name
        self.interactive = stage.lane == "interactive"
        self.release: Callable[[Received, str], None] = lambda _record, _stream: None
        self.behind: Callable[[TopicPartition], bool] = lambda _home: False

    async def process(self, record: Received, delivery: int) -> Processed:
        """Fold one message; the state moves on only after what it led to is acknowledged."""
        if record.value is None:
            raise Undecodable(f"a tombstone is no {self._stage.message.DESCRIPTOR.full_name}")
        message = decode(record.value, self._stage.message, record.headers.get(headers.CONTENT_TYPE, ""))
        name = self._stage.stream(message)
        stream = self._streams.get((record.home, name)) or self._begin(record, name, delivery)
        stream.last = record
        if stream.broken:
            return Held(name)
        with self._at_work(stream, record.home, name):
            context = context_of(record, delivery, self._around, lane=self._stage.lane, turn_id=name)
            folded = await self._stage.step(stream.state, message, context)
            for outgoing in folded.out:
                await context.publisher.publish(outgoing)
        metrics.MESSAGES.labels(self._around.service, self.stage, "completed").inc()
        if self._streams.get((record.home, name)) is not stream:
            # Messages of one stream that share no key run at the same time: another one has ended it, or its silence
            # has. Nobody would ever release what is held for it now.
            return Finished()
        stream.state = folded.state
        stream.deltas += 1
        if folded.ended or folded.state is None:
            self._streams.pop((record.home, name)).close()
            return Released(name)
        return Held(name)

    async def buried(self, record: Received, error: BaseException) -> Processed:
        """A stream with a hole says no more: its reader gets the rest from the completed answer."""
        metrics.MESSAGES.labels(self._around.service, self.stage, "dead_lettered").inc()
        if isinstance(error, Undecodable):
            return Released("")
        message = decode(record.value or b"", self._stage.message, record.headers.get(headers.CONTENT_TYPE, ""))
        name = self._stage.stream(message)
        stream = self._streams.get((record.home, name)) or self._begin(record, name, 1)
        stream.broken = True
        return Held(name)

    def ordered(self, record: Received) -> bool:
        """Always: the rest of a stream must not overtake a part of it."""
        del record
        return True

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """The new owner rebuilds these streams from the log."""
        gone = frozenset(partitions)
        for home, name in [place for place in self._streams if place[0] in gone]:
            self._streams.pop((home, name)).close()

    def _begin(self, record: Received, name: str, delivery: int) -> _Stream:
        now_ms = self._around.clock.now_ms()
        queue_ms = float(max(0, now_ms - record.timestamp_ms))
        span = start_span(f"stream {self.stage}", record, stage=self.stage, delivery=delivery, queue_ms=queue_ms)
        span.set_attribute(attributes.TURN_ID, name)
        deadline_ms = header_int(record.headers, headers.DEADLINE)
        until_ms = min(max(now_ms, deadline_ms), now_ms + LONGEST_MS) + GRACE_MS if deadline_ms else 0
        stream = self._streams[record.home, name] = _Stream(span, record, until_ms)
        self._wait_for_more(stream, record.home, name)
        return stream

    @contextmanager
    def _at_work(self, stream: _Stream, home: TopicPartition, name: str) -> Iterator[None]:
        """In the stream's span; it does not expire under the hands of its stage."""
        if stream.expiry:
            stream.expiry.cancel()
        try:
            with (
                trace.use_span(stream.span, end_on_exit=False, record_exception=False, set_status_on_exception=False),
                marking_errors(stream.span),
            ):
                yield
        finally:
            if self._streams.get((home, name)) is stream:
                self._wait_for_more(stream, home, name)

    def _wait_for_more(self, stream: _Stream, home: TopicPartition, name: str) -> None:
        left_s = (stream.until_ms - self._around.clock.now_ms()) / 1000 if stream.until_ms else WITHOUT_DEADLINE_S
        stream.expiry = asyncio.get_running_loop().call_later(max(0.0, left_s), self._expire, stream, home, name)

    def _expire(self, stream: _Stream, home: TopicPartition, name: str) -> None:
        if not stream.until_ms and self.behind(home):
            # What comes next in it may be among those that wait, or in the log of a partition that is paused.
            self._wait_for_more(stream, home, name)
            return
        del self._streams[home, name]
        stream.span.set_attribute(attributes.OUTCOME, "expired")
        stream.close()
        self.release(stream.last, name)
