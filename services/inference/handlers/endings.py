"""How a turn leaves inference, by how the work on it ended."""

from typing import Final, assert_never

from headrace.messaging.contract import End, Next, StageResult
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import Inference
from services.inference.handlers.interruption import Ended
from services.inference.handlers.model_time import Cause

_CANCELLED: Final = "cancelled"
# The reason of an answer that ended because the output gate shows no more of it.
STOPPED: Final = "content_filter"


def ending(ended: Ended, section: Inference) -> tuple[int, Cause | None]:
    """The status with which the turn ends here, 0 if it goes on, and why its model time was wasted, if it was.

    An answer that the gate stopped goes on: the judgement of the whole stops in the same place, and refuses it.
    """
    match ended:
        case Ended.DONE | Ended.LOST:
            return 0, None
        case Ended.STOPPED:
            section.finish_reason = STOPPED
            return 0, None
        case Ended.CANCELLED:
            section.finish_reason = _CANCELLED
            return int(ResponseCompleted.CANCELLED), "cancelled"
        case Ended.EXPIRED:
            section.finish_reason = _CANCELLED
            return int(ResponseCompleted.EXPIRED), "expired"
        case never:
            assert_never(never)


def result(section: Inference, status: int) -> StageResult:
    """On to the next stage, or to its end."""
    match status:
        case ResponseCompleted.CANCELLED:
            error = Error(code="cancelled", message="The turn was cancelled while it was answered.")
            return End(ResponseCompleted.CANCELLED, error, section=section)
        case ResponseCompleted.EXPIRED:
            message = "The deadline passed in mid-answer: allow more time with `deadline`, or ask for fewer tokens."
            error = Error(code="deadline_exceeded", message=message, field="deadline", retryable=True)
            return End(ResponseCompleted.EXPIRED, error, section=section)
        case _:
            return Next(section)
