"""Runs a stage on events: decode, handle, publish what follows."""

from collections.abc import Collection

from opentelemetry import trace

from headrace.messaging import headers
from headrace.messaging.codec import decode
from headrace.messaging.processing import Finished, Processed
from headrace.messaging.records import Received, TopicPartition
from headrace.runtime.context import Surroundings, context_of
from headrace.runtime.service import EventStage
from headrace.runtime.spans import marking_errors, start_span
from headrace.telemetry import attributes, metrics


class EventProcessor:
    """One `EventStage`. A tombstone reaches the handler as None, with its key in the context."""

    streaming = False

    def __init__(self, stage: EventStage, around: Surroundings) -> None:
        self._stage = stage
        self._around = around
        self.stage = stage.name
        self.interactive = stage.lane == "interactive"

    async def process(self, record: Received, delivery: int) -> Processed:
        """Raise what the handler raises; return once everything that follows is acknowledged."""
        started_ms = self._around.clock.now_ms()
        queue_ms = float(max(0, started_ms - record.timestamp_ms))
        span = start_span(f"process {self.stage}", record, stage=self.stage, delivery=delivery, queue_ms=queue_ms)
        with (
            trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False),
            marking_errors(span),
        ):
            context = context_of(record, delivery, self._around, lane=self._stage.lane)
            content_type = record.headers.get(headers.CONTENT_TYPE, "")
            message = decode(record.value, self._stage.message, content_type) if record.value is not None else None
            for outgoing in await self._stage.handler(message, context):
                await context.publisher.publish(outgoing)
            work_ms = float(max(0, self._around.clock.now_ms() - started_ms))
            span.set_attribute(attributes.WORK_MS, work_ms)
        metrics.MESSAGES.labels(self._around.service, self.stage, "completed").inc()
        metrics.STAGE_WORK.labels(self._around.service, self.stage).observe(work_ms / 1000)
        return Finished()

    async def buried(self, record: Received, error: BaseException) -> Processed:
        """Nobody waits for an event's outcome; the dead letter says what happened."""
        metrics.MESSAGES.labels(self._around.service, self.stage, "dead_lettered").inc()
        return Finished()

    def ordered(self, record: Received) -> bool:
        """Wherever there is a key: a document's deletion must not overtake the document."""
        return record.key is not None

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing is remembered between events."""
