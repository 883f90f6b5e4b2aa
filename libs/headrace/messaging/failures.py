"""The ways out for a message that could not be processed: the retry topic and the dead letters."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from opentelemetry import trace

from headrace.messaging import headers
from headrace.messaging.clock import Clock
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.dead_letters import bury
from headrace.messaging.errors import Fenced, Retryable
from headrace.messaging.records import Received
from headrace.messaging.tracing import current_trace_id, parent_of
from headrace.telemetry import metrics

log = structlog.get_logger()

T = TypeVar("T")

_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Failures:
    """Publishes what failed to where it can be found, and does not give up before the broker has it."""

    def __init__(self, service: str, outlet: Callable[[Received], Publisher], clock: Clock) -> None:
        self._service = service
        self._outlet = outlet
        self._clock = clock

    async def bury(self, record: Received, *, stage: str, error: BaseException, attempts: int) -> None:
        """Publish the dead letter."""
        letter = bury(
            record,
            stage=stage,
            error=error,
            attempts=attempts,
            trace_id=trace_id_of(record) or current_trace_id(),
            now_ms=self._clock.now_ms(),
        )
        await self.insist(lambda: self._outlet(record).publish(letter))
        metrics.DEAD_LETTERS.labels(self._service, stage, type(error).__name__).inc()
        # The error's own words may quote the message; they stand in the dead letter, not in the log.
        log.error(
            "dead letter",
            stage=stage,
            error=type(error).__name__,
            attempts=attempts,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )

    async def retry_later(
        self, record: Received, topic: str, *, stage: str, error: BaseException, delivery: int, not_before_ms: int
    ) -> None:
        """Put the record on a retry topic, with the way back to where it came from."""
        # The same message, so that what is made of it has the same ids, however often it is delivered.
        named = {} if headers.MESSAGE_ID in record.headers else {headers.MESSAGE_ID: record.place}
        onward = {
            **named,
            headers.ATTEMPT: str(delivery + 1),
            headers.NOT_BEFORE: str(not_before_ms),
            headers.ORIGIN_TOPIC: record.headers.get(headers.ORIGIN_TOPIC, record.topic),
            headers.ORIGIN_PARTITION: record.headers.get(headers.ORIGIN_PARTITION, str(record.partition)),
            headers.ORIGIN_OFFSET: record.headers.get(headers.ORIGIN_OFFSET, str(record.offset)),
            headers.ORIGIN_TIMESTAMP: record.headers.get(headers.ORIGIN_TIMESTAMP, str(record.timestamp_ms)),
        }
        outgoing = Outgoing(
            topic, key="", message=None, headers=onward,
            raw=record.value, raw_key=record.key, raw_headers=record.raw_headers,
        )  # fmt: skip
        await self.insist(lambda: self._outlet(record).publish(outgoing))
        self.note_retry(stage, error, where="topic", tries=delivery)

    def note_retry(self, stage: str, error: BaseException, *, where: str, tries: int) -> None:
        """Count a retry and say so in the log."""
        metrics.RETRIES.labels(self._service, stage, where).inc()
        reason = str(error) if isinstance(error, Retryable) else ""
        log.warning("retrying", stage=stage, where=where, tries=tries, error=type(error).__name__, reason=reason)

    async def insist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is acknowledged: the record's offset must not be committed before."""
        tries = 0
        while True:
            try:
                return await act()
            except (Retryable, Fenced) as exc:
                # Fenced: either the group says soon that the partition is ours after all, or this is cancelled.
                log.warning("not acknowledged, trying again", error=str(exc))
                await self._clock.sleep(_BACKOFF_S[min(tries, len(_BACKOFF_S) - 1)])
                tries += 1


def trace_id_of(record: Received) -> str:
    """The trace that a record belongs to; empty if it names none."""
    context = trace.get_current_span(parent_of(record.headers)).get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else ""
