"""Runs a stage on turns: decode, shed what is too late, handle, write the section, send it on."""

from collections.abc import Collection
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span

from headrace.messaging import headers
from headrace.messaging.codec import decode
from headrace.messaging.contract import End, Outgoing, StageContext, StageResult
from headrace.messaging.errors import Invalid, Undecodable
from headrace.messaging.processing import Finished, Processed
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.times import epoch_ms
from headrace.messaging.tracing import current_trace_id
from headrace.runtime.context import Surroundings, context_of
from headrace.runtime.service import IntakeStage, TurnStage
from headrace.runtime.spans import marking_errors, start_span
from headrace.runtime.turns import advance, early_end, failure, key_of, last_resort
from headrace.telemetry import attributes, metrics
from headrace.v1.responses_pb2 import ResponseCompleted, StageTiming
from headrace.v1.turns_pb2 import Turn


class TurnProcessor:
    """One `TurnStage` or `IntakeStage` on one lane."""

    streaming = False

    def __init__(self, stage: TurnStage | IntakeStage, lane: str, around: Surroundings) -> None:
        self._stage = stage
        self._lane = lane
        self._around = around
        self.stage = stage.name
        self.interactive = lane == "interactive"

    async def process(self, record: Received, delivery: int) -> Processed:
        """Raise what the handler raises; return once the turn is with its next stage."""
        started_ms = self._around.clock.now_ms()
        queue_ms = float(max(0, started_ms - record.timestamp_ms))
        span = start_span(f"process {self.stage}", record, stage=self.stage, delivery=delivery, queue_ms=queue_ms)
        with (
            trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False),
            marking_errors(span),
        ):
            turn, context = self._open(record, delivery)
            _describe(span, turn)
            early = early_end(
                turn,
                stage=self.stage,
                now_ms=context.now_ms,
                cancelled=bool(turn.turn_id) and context.cancellation.requested,
            )
            result = early or await self._stage.handler(turn, context)
            work_ms = float(max(0, self._around.clock.now_ms() - started_ms))
            span.set_attribute(attributes.WORK_MS, work_ms)
            span.set_attribute(attributes.OUTCOME, outcome_of(result))
            await self._send_on(turn, context, result, StageTiming(queue_ms=queue_ms, work_ms=work_ms))
        labels = (self._around.service, self.stage)
        metrics.MESSAGES.labels(*labels, outcome_of(result)).inc()
        metrics.STAGE_QUEUE.labels(*labels).observe(queue_ms / 1000)
        metrics.STAGE_WORK.labels(*labels).observe(work_ms / 1000)
        return Finished()

    async def buried(self, record: Received, error: BaseException) -> Processed:
        """Answer whoever asked: through the last stage, or here if this is it or the bytes are no turn."""
        metrics.MESSAGES.labels(self._around.service, self.stage, "dead_lettered").inc()
        try:
            turn, context = self._open(record, 1)
        except Undecodable as exc:
            for outgoing in self._undecodable(record, exc):
                await self._around.outlet(record).publish(outgoing)
            return Finished()
        end = failure(error)
        if list(turn.slip.remaining) == [self.stage]:
            await context.publisher.publish(last_resort(turn, end))
        else:
            await self._send_on(turn, context, end, StageTiming())
        return Finished()

    def ordered(self, record: Received) -> bool:
        """As the turn's pipeline asks for it."""
        try:
            return self._open(record, 1)[0].slip.ordered
        except Invalid:
            return False

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing is remembered between turns."""

    def _open(self, record: Received, delivery: int) -> tuple[Turn, StageContext]:
        message = self._decode(record)
        if isinstance(self._stage, IntakeStage):
            turn = self._stage.open(message, context_of(record, delivery, self._around, lane=self._lane))
            turn.trace_id = current_trace_id()
        else:
            turn = message
        context = context_of(
            record,
            delivery,
            self._around,
            lane=self._lane,
            tenant=turn.tenant,
            deadline_ms=epoch_ms(turn.deadline) if turn.HasField("deadline") else 0,
            turn_id=turn.turn_id,
        )
        return turn, context

    def _decode(self, record: Received) -> Any:
        kind = self._stage.message if isinstance(self._stage, IntakeStage) else Turn
        if record.value is None:
            raise Undecodable(f"a tombstone is no {kind.DESCRIPTOR.full_name}")
        return decode(record.value, kind, record.headers.get(headers.CONTENT_TYPE, ""))

    def _undecodable(self, record: Received, error: Undecodable) -> tuple[Outgoing, ...]:
        if isinstance(self._stage, IntakeStage) and self._stage.undecodable:
            return tuple(self._stage.undecodable(str(error), context_of(record, 1, self._around, lane=self._lane)))
        return ()

    async def _send_on(self, turn: Turn, context: StageContext, result: StageResult, timing: StageTiming) -> None:
        onward, topic = advance(turn, stage=self.stage, section=self._stage.section, result=result, timing=timing)
        for outgoing in result.also:
            await context.publisher.publish(outgoing)
        # The same turn leaving the same stage is the same message, however often it is sent.
        identity = {headers.MESSAGE_ID: f"{turn.turn_id}:{self.stage}"}
        await context.publisher.publish(Outgoing(topic, key_of(onward), onward, tenant=onward.tenant, headers=identity))


def outcome_of(result: StageResult) -> str:
    """How a stage left a turn, in one lower-case word."""
    return ResponseCompleted.Status.Name(result.status).lower() if isinstance(result, End) else "completed"


def _describe(span: Span, turn: Turn) -> None:
    span.set_attribute(attributes.TURN_ID, turn.turn_id)
    span.set_attribute(attributes.CONVERSATION_ID, turn.conversation_id)
    span.set_attribute(attributes.TENANT, turn.tenant)
    span.set_attribute(attributes.PIPELINE, turn.slip.pipeline)
    span.set_attribute(attributes.LANE, turn.slip.lane)
