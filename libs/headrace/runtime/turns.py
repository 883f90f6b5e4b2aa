"""What becomes of a turn after a stage: its section, its timing, its next topic. Pure."""

from headrace.messaging import topics
from headrace.messaging.contract import JSON, PROTOBUF, End, Outgoing, StageResult
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.messaging.times import epoch_ms
from headrace.v1.responses_pb2 import Error, ResponseCompleted, StageTiming
from headrace.v1.reviews_pb2 import ReviewClassified
from headrace.v1.turns_pb2 import Outcome, Turn


def advance(turn: Turn, *, stage: str, section: str, result: StageResult, timing: StageTiming) -> tuple[Turn, str]:
    """The turn with its section written, and the topic that it goes to.

    A stage that ended the turn sends it to the last stage of its slip, which answers whoever asked.
    """
    onward = Turn()
    onward.CopyFrom(turn)
    onward.timings[stage].CopyFrom(timing)
    if result.section is not None:
        getattr(onward, section).CopyFrom(result.section)
    remaining = [name for name in turn.slip.remaining if name != stage]
    if isinstance(result, End):
        onward.outcome.CopyFrom(Outcome(status=result.status, error=result.error, stage=stage))
        remaining = remaining[-1:]
    del onward.slip.remaining[:]
    onward.slip.remaining.extend(remaining)
    return onward, next_topic(onward)


def next_topic(turn: Turn) -> str:
    """Where a turn goes by its slip; a slip at its end leads to the completed turns."""
    if not turn.slip.remaining:
        return topics.TURNS_COMPLETED
    stage, lane = turn.slip.remaining[0], turn.slip.lane
    if stage not in topics.STAGES or lane not in topics.LANES:
        raise Invalid(f"the slip leads to stage {stage!r} on lane {lane!r}, which nobody serves", field="slip")
    return topics.turns(stage, lane)


def key_of(turn: Turn) -> str:
    """Order holds within a conversation; a review is a conversation of its own."""
    return turn.review.review_id if turn.WhichOneof("request") == "review" else turn.conversation_id or turn.turn_id


def early_end(turn: Turn, *, stage: str, now_ms: int, cancelled: bool) -> End | None:
    """Why no more work should go into a turn, if so. The last stage always works: it is the one that answers."""
    if turn.HasField("outcome") or list(turn.slip.remaining) == [stage]:
        return None
    if cancelled:
        return End(
            ResponseCompleted.CANCELLED,
            Error(code="cancelled", message="The turn was cancelled before it was answered."),
        )
    if turn.HasField("deadline") and (deadline_ms := epoch_ms(turn.deadline)) <= now_ms:
        return expired(now_ms - deadline_ms)
    return None


def expired(late_ms: int) -> End:
    """The answer to a turn whose deadline has passed."""
    message = f"The deadline passed {late_ms} ms ago: ask again, or allow more time with `deadline`."
    return End(
        ResponseCompleted.EXPIRED, Error(code="deadline_exceeded", message=message, field="deadline", retryable=True)
    )


def failure(error: BaseException) -> End:
    """The answer to a turn that became a dead letter. Words of unexpected errors stay in the dead letter."""
    if isinstance(error, Invalid):
        told = Error(code=error.code, message=str(error), field=error.field)
    elif isinstance(error, HeadraceError):
        message = "A part that is needed did not answer. The request is kept as a dead letter; ask again later."
        told = Error(code="unavailable", message=message, retryable=True)
    else:
        message = "The request could not be processed. It is kept as a dead letter for the operator."
        told = Error(code="internal", message=message, retryable=False)
    return End(ResponseCompleted.FAILED, told)


def last_resort(turn: Turn, end: End) -> Outgoing:
    """The answer that the last stage could not give, so that nobody waits for ever."""
    encoding = JSON if turn.reply.encoding == JSON else PROTOBUF
    if turn.WhichOneof("request") == "review":
        classified = ReviewClassified(
            review_id=turn.review.review_id,
            batch_id=turn.review.batch_id,
            tenant=turn.tenant,
            error=end.error,
            trace_id=turn.trace_id,
        )
        return Outgoing(
            topics.REVIEWS_CLASSIFIED, turn.review.review_id, classified, encoding=encoding, tenant=turn.tenant
        )
    completed = ResponseCompleted(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        status=end.status,
        error=end.error,
        tenant=turn.tenant,
        trace_id=turn.trace_id,
        finish_reason="error",
    )
    partition = turn.reply.partition if turn.reply.HasField("partition") else None
    return Outgoing(
        topics.RESPONSES, key_of(turn), completed, partition=partition, encoding=encoding, tenant=turn.tenant
    )
