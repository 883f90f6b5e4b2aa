"""What the gateway says over a websocket: one JSON object a frame, each with the `id` of its turn."""

from dataclasses import asdict
from typing import Any, assert_never

from headrace.messaging.errors import HeadraceError, Invalid, Retryable
from services.gateway.domain.admission import Busy, Cause
from services.gateway.domain.answers import Answer, Status
from services.gateway.domain.turn_log import Ended, Event, Restarted, Shown

JsonObject = dict[str, Any]


def frames_of(turn_id: str, event: Event) -> list[JsonObject]:
    """The frames that tell of an event, in order."""
    match event:
        case Shown(attempt, seq, text):
            return [{"type": "delta", "id": turn_id, "seq": seq, "text": text, "attempt": attempt}]
        case Restarted(attempt):
            return [{"type": "restarted", "id": turn_id, "attempt": attempt}]
        case Ended(answer):
            return _ending(turn_id, answer)
        case never:
            assert_never(never)


def _ending(turn_id: str, answer: Answer) -> list[JsonObject]:
    frames: list[JsonObject] = []
    if answer.citations:
        frames.append({"type": "citations", "id": turn_id, "items": [asdict(each) for each in answer.citations]})
    frames.extend({"type": "notice", "id": turn_id, "code": each.code, "text": each.text} for each in answer.notices)
    if answer.status is Status.FAILED:
        frames.append(_failed(turn_id, answer))
    else:
        frames.append(_done(turn_id, answer))
    return frames


def _done(turn_id: str, answer: Answer) -> JsonObject:
    return {
        "type": "done",
        "id": turn_id,
        "status": answer.status.value,
        "text": answer.text,
        "usage": asdict(answer.usage),
        "finish_reason": answer.finish_reason,
        "timings": {stage: asdict(timing) for stage, timing in answer.timings.items()},
        "versions": dict(answer.versions),
        "model": answer.model,
        "trace_id": answer.trace_id,
        "cached": answer.usage.cached,
        "conversation": answer.conversation_id,
    }


def _failed(turn_id: str, answer: Answer) -> JsonObject:
    failure = answer.failure
    return {
        "type": "error",
        "id": turn_id,
        "code": failure.code if failure and failure.code else "failed",
        "message": failure.message if failure and failure.message else "the answer failed: ask again",
        "field": failure.field if failure else "",
        "retry_after": 1 if failure and failure.retryable else None,
        "final": True,
        "trace_id": answer.trace_id,
    }


def accepted(turn_id: str, conversation_id: str) -> JsonObject:
    """Kafka has the prompt."""
    return {"type": "accepted", "id": turn_id, "conversation": conversation_id or turn_id}


def noted(turn_id: str) -> JsonObject:
    """The rating is on its way."""
    return {"type": "notice", "id": turn_id, "code": "feedback_recorded", "text": "Thank you, your rating is recorded."}


def busy(turn_id: str, problem: Busy) -> JsonObject:
    """Not let in."""
    match problem.cause:
        case Cause.FULL:
            reason = "as many questions wait as can be answered in time"
        case Cause.SHARE:
            reason = "others ask as well, and your share of the questions is waiting already"
        case Cause.LATE:
            reason = "the answer would come after its deadline"
        case never:
            assert_never(never)
    message = f"{reason}: ask again in {problem.retry_after_s} s"
    return _error(turn_id, "too_busy", message, "", problem.retry_after_s)


def error(turn_id: str, problem: HeadraceError) -> JsonObject:
    """What was wrong with a frame, or kept it from being done."""
    if isinstance(problem, Invalid):
        return _error(turn_id, problem.code, str(problem), problem.field, None)
    retry_after = retry_after_s(problem) if isinstance(problem, Retryable) else None
    return _error(turn_id, "unavailable", str(problem), "", retry_after)


def retry_after_s(problem: Retryable) -> int:
    """When to try again, in whole seconds, at least one."""
    return max(1, -(-(problem.retry_after_ms or 1000) // 1000))


def _error(turn_id: str, code: str, message: str, field: str, retry_after: int | None) -> JsonObject:
    return {
        "type": "error",
        "id": turn_id or None,
        "code": code,
        "message": message,
        "field": field,
        "retry_after": retry_after,
    }
