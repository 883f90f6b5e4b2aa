"""Before the model, after it, and while it speaks."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import assert_never

import structlog

from headrace.messaging.contract import End, Folded, Next, Outgoing, StageContext, StageResult
from headrace.messaging.errors import HeadraceError
from headrace.stores.masks import MaskStore
from headrace.telemetry import metrics
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import GeneratedDelta, Turn
from services.safety.adapters import wire
from services.safety.adapters.trials import try_input, try_output
from services.safety.domain.gate import Cleared as ClearedText
from services.safety.domain.gate import Stream, step
from services.safety.domain.input_judgement import Cleared, Masked, Message, Refused, Routed, judge
from services.safety.domain.output_judgement import judge_whole, ungrounded
from services.safety.ports import Policies

log = structlog.get_logger()

# How an answer ends that was still being generated when the gate stopped it.
_STOPPED = "content_filter"
# The deadline of the longest pipeline: a turn without one of its own is not older when it is answered.
_WITHOUT_DEADLINE_SECONDS = 3600


class InputJudgement:
    """Judges what the model is to be given."""

    def __init__(self, policies: Policies, masks: MaskStore, mask_grace_seconds: int) -> None:
        self._policies = policies
        self._masks = masks
        self._mask_grace_seconds = mask_grace_seconds

    async def __call__(self, turn: Turn, context: StageContext) -> StageResult:
        """Refuse, mask or let through."""
        book = self._policies.of(turn.slip.pipeline)
        request = wire.request_of(turn)
        # In a thread: the longest prompts take a second, and the streams of others must not wait for them.
        judged = await asyncio.to_thread(judge, request, book.policy, book.detectors)
        section = partial(
            wire.section_of,
            book.policy,
            judged.verdicts,
            now_ms=context.now_ms,
            tried=await asyncio.to_thread(try_input, request, book.trials),
        )
        match judged:
            case Refused(_, rule, message):
                metrics.REFUSALS.labels(rule).inc()
                error = Error(code="refused_by_policy", message=message, field="text")
                return End(ResponseCompleted.REFUSED, error, section())
            case Routed(verdicts, rule, message, messages):
                metrics.REFUSALS.labels(rule).inc()
                error = Error(code="routed_to_a_person", message=message, field="text")
                verdict = next(verdict for verdict in verdicts if verdict.rule == rule)
                review = wire.human_review(turn, verdict, section(), messages, now_ms=context.now_ms)
                return End(ResponseCompleted.REFUSED, error, section(), also=(review,))
            case Masked(_, messages, values):
                if values:
                    # Before the turn goes on: masks that cannot be kept could never be lifted, so it waits for Redis.
                    await self._masks.put(turn.tenant, turn.turn_id, values, self._lifetime_seconds(context))
                return Next(section(messages, masked=bool(values)))
            case Cleared():
                return Next(section(request.messages))
            case never:
                assert_never(never)

    def _lifetime_seconds(self, context: StageContext) -> int:
        if not context.deadline_ms:
            return _WITHOUT_DEADLINE_SECONDS
        return max(0, context.deadline_ms - context.now_ms) // 1000 + self._mask_grace_seconds


class OutputJudgement:
    """Judges the whole answer, as the gate did piece by piece."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    async def __call__(self, turn: Turn, context: StageContext) -> StageResult:
        """Let the answer through, or end the turn with what may be shown of it."""
        book = self._policies.of(turn.slip.pipeline)
        answer = turn.inference
        stopped = answer.finish_reason == _STOPPED
        whole = await asyncio.to_thread(judge_whole, answer.text, book.policy, book.detectors, stopped=stopped)
        if whole.stop is None:
            whole = replace(whole, verdicts=(*whole.verdicts, *ungrounded(wire.cited_of(turn), book.policy)))
        tried = await asyncio.to_thread(try_output, wire.cited_of(turn), book.trials)
        section = wire.judged_section(turn.safety, book.policy, whole, now_ms=context.now_ms, tried=tried)
        routing = next((verdict for verdict in whole.verdicts if verdict.action == "route"), None)
        also: tuple[Outgoing, ...] = ()
        if routing:
            messages = [Message(message.role, message.content) for message in turn.safety.messages]
            also = (wire.human_review(turn, routing, section, messages, now_ms=context.now_ms),)
        if whole.stop is None:
            return Next(section, also)
        metrics.REFUSALS.labels(whole.stop.rule).inc()
        hidden = 1 - len(whole.text) / max(1, len(answer.text))
        metrics.WASTED_GENERATION_SECONDS.labels(answer.model, "policy").inc(answer.duration_ms / 1000 * hidden)
        message = next((rule.message for rule in book.policy.rules if rule.name == whole.stop.rule), whole.stop.reason)
        return End(ResponseCompleted.REFUSED, Error(code="stopped_by_policy", message=message), section, also)


class Gate:
    """Judges the answer while it is made: nothing reaches anyone that no verdict covers."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    async def step(self, stream: Stream | None, delta: GeneratedDelta, context: StageContext) -> Folded[Stream]:
        """Release what is judged, in segments."""
        piece = wire.generated_of(delta)
        try:
            book = self._policies.of(delta.context.pipeline)
        except HeadraceError as exc:
            # Fail closed: without its policy an answer is not shown.
            log.error("answer stopped: it has no policy", turn_id=delta.context.turn_id, error=type(exc).__name__)
            stop = ClearedText(0, "", last=True, stopped=True)
            refusal = wire.cleared_to(delta, stop, "none", context.key)
            return Folded(None, (refusal,) if piece.offset == 0 else (), ended=True)
        judging = (stream, piece, book.policy, book.detectors)
        taken = await asyncio.to_thread(step, *judging) if book.waits_for_a_model else step(*judging)
        out = tuple(wire.cleared_to(delta, cleared, book.policy.identity, context.key) for cleared in taken.cleared)
        if taken.futile:
            # After the stop has gone out: whoever reads the log finds why the answer ends.
            out = (*out, wire.stop_to(delta.context))
        return Folded(taken.stream, out, ended=taken.stream is None)
