"""The turn that a request opens: pure and total, since what is wrong with a request is for the handler to say.

A redelivered request opens the same turn: every id is the client's or derived from the message's.
"""

import re
from typing import Final
from uuid import UUID, uuid5

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing, StageContext
from headrace.messaging.errors import Invalid
from headrace.runtime.pipelines import Pipeline, Pipelines
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted
from headrace.v1.turns_pb2 import Reply, Turn

_TURNS: Final = UUID("5a3a3c3e-8d0e-5a53-9a0e-6f0d8f1f6c11")
_DEFAULT: Final = "default"
# An id of this length is told back; a longer one is cut here and refused by the handler.
_MAX_ID_CHARACTERS: Final = 200
_MAX_TIMESTAMP_MS: Final = 253_402_300_799_000
_PARTITION: Final = re.compile(r"[0-9]{1,4}")


class Opening:
    """Opens turns; an unknown pipeline gets the lane's own slip, so that the turn finds the way to its error."""

    def __init__(self, pipelines: Pipelines, *, prompts: str = "chat", reviews: str = "reviews") -> None:
        self._pipelines = pipelines
        self._prompts = pipelines.get(prompts)
        self._reviews = pipelines.get(reviews)

    def prompt(self, submitted: PromptSubmitted, context: StageContext) -> Turn:
        """A chat turn, keyed by its conversation."""
        turn_id = submitted.turn_id[:_MAX_ID_CHARACTERS] or str(uuid5(_TURNS, f"prompt\n{context.message_id}"))
        pipeline = self._pipeline(submitted.pipeline, self._prompts)
        turn = Turn(
            turn_id=turn_id,
            conversation_id=submitted.conversation_id[:_MAX_ID_CHARACTERS] or turn_id,
            tenant=(submitted.tenant or context.tenant or _DEFAULT)[:_MAX_ID_CHARACTERS],
            subject=submitted.user[:_MAX_ID_CHARACTERS],
            arm=_DEFAULT,
            slip=pipeline.slip(),
            reply=_reply(context),
            submitted_at=_timestamp(_submitted_ms(context)),
            prompt=submitted,
        )
        deadline_ms = asked_deadline_ms(submitted, context)
        turn.deadline.CopyFrom(_timestamp(_usual(pipeline, context) if deadline_ms is None else deadline_ms))
        return turn

    def review(self, submitted: ReviewSubmitted, context: StageContext) -> Turn:
        """A review's turn, keyed by its review: the id of the turn is the tenant's and the review's."""
        tenant = (submitted.tenant or context.tenant or _DEFAULT)[:_MAX_ID_CHARACTERS]
        review_id = submitted.review_id[:_MAX_ID_CHARACTERS] or context.key[:_MAX_ID_CHARACTERS]
        pipeline = self._pipeline(submitted.pipeline, self._reviews)
        return Turn(
            turn_id=str(uuid5(_TURNS, f"review\n{tenant}\n{review_id or context.message_id}")),
            conversation_id=review_id,
            tenant=tenant,
            arm=_DEFAULT,
            slip=pipeline.slip(),
            reply=_reply(context),
            submitted_at=_timestamp(_submitted_ms(context)),
            deadline=_timestamp(context.deadline_ms or _usual(pipeline, context)),
            review=submitted,
        )

    def _pipeline(self, name: str, usual: Pipeline) -> Pipeline:
        try:
            return self._pipelines.get(name or usual.name)
        except Invalid:
            return usual


def asked_deadline_ms(submitted: PromptSubmitted, context: StageContext) -> int | None:
    """The client's own deadline: the field, else the header."""
    if submitted.HasField("deadline"):
        # By hand: the library's own conversion refuses moments that a client may well send.
        return submitted.deadline.seconds * 1000 + submitted.deadline.nanos // 1_000_000
    return context.deadline_ms or None


def undecodable_prompt(reason: str, context: StageContext) -> tuple[Outgoing, ...]:
    """The answer to bytes on the prompts' topic that are no prompt, under the only names that they came with."""
    turn_id = _name(context)
    reply = _reply(context)
    completed = ResponseCompleted(
        turn_id=turn_id,
        conversation_id=context.key or turn_id,
        status=ResponseCompleted.FAILED,
        error=_undecodable(reason),
        tenant=context.tenant or _DEFAULT,
        finish_reason="error",
    )
    partition = reply.partition if reply.HasField("partition") else None
    key = context.key or turn_id
    return (Outgoing(topics.RESPONSES, key, completed, partition=partition, encoding=context.encoding),)


def undecodable_review(reason: str, context: StageContext) -> tuple[Outgoing, ...]:
    """The answer to bytes on the reviews' topic that are no review."""
    review_id = context.key or _name(context)
    classified = ReviewClassified(review_id=review_id, error=_undecodable(reason), tenant=context.tenant or _DEFAULT)
    return (Outgoing(topics.REVIEWS_CLASSIFIED, review_id, classified, encoding=context.encoding),)


def _name(context: StageContext) -> str:
    return context.headers.get(headers.MESSAGE_ID) or context.key or context.message_id


def _undecodable(reason: str) -> Error:
    return Error(code="undecodable", message=f"{reason}. Check the encoding and send it again.", field="value")


def _reply(context: StageContext) -> Reply:
    reply = Reply(encoding=context.encoding)
    asked = context.headers.get(headers.REPLY_PARTITION, "")
    if _PARTITION.fullmatch(asked):
        reply.partition = int(asked)
    return reply


def _submitted_ms(context: StageContext) -> int:
    # On the retry topic the header tells when the request first came.
    origin = context.headers.get(headers.ORIGIN_TIMESTAMP, "")
    return int(origin) if origin.isdecimal() and len(origin) < len(str(_MAX_TIMESTAMP_MS)) else context.now_ms


def _usual(pipeline: Pipeline, context: StageContext) -> int:
    return _submitted_ms(context) + int(pipeline.deadline_seconds * 1000)


def _timestamp(epoch_ms: int) -> Timestamp:
    moment = Timestamp()
    moment.FromMilliseconds(min(max(epoch_ms, 0), _MAX_TIMESTAMP_MS))
    return moment
