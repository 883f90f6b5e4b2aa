"""Where a redriven turn begins: at the stage that it died at, or at an earlier one. Pure."""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from headrace.messaging import topics
from headrace.messaging.carried import STAGE_OF
from headrace.messaging.errors import Invalid
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.turns import key_of, next_topic
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.reviews_pb2 import ReviewSubmitted
from headrace.v1.turns_pb2 import Turn

# Where a request becomes a turn; it stands on no slip.
FIRST: Final = "preprocessing"
STAGES: Final = (FIRST, *topics.STAGES)


@dataclass(frozen=True, slots=True)
class Route:
    """A message and the topic that it is to begin on; `key` None leaves the one it had."""

    topic: str
    message: Message
    key: str | None = None


def route(message: Message, topic: str, stage: str, pipelines: Pipelines) -> Route:
    """From `stage` on, or `Invalid` that says why not and what would do."""
    if isinstance(message, PromptSubmitted | ReviewSubmitted):
        if stage == FIRST:
            return Route(topic, message)
        kind = message.DESCRIPTOR.name
        raise Invalid(f"it died as a {kind}, before it was a turn: only {FIRST} takes it; leave --from-stage out")
    if not isinstance(message, Turn):
        raise Invalid(f"it is a {message.DESCRIPTOR.name}, and only turns have stages: leave --from-stage out")
    died_at = STAGE_OF.get(topic)
    if died_at is None:
        raise Invalid("the turn had its answer already and only its keeping failed: leave --from-stage out")
    order = (FIRST, *pipelines.get(message.slip.pipeline).stages)
    if stage not in order:
        raise Invalid(f"pipeline {message.slip.pipeline!r} has no stage {stage!r}: use one of {', '.join(order)}")
    reached = _reached(message, died_at, order)
    if order.index(stage) > order.index(reached):
        # What a stage writes, those behind it rely on; one that is skipped may be the one that judges.
        raise Invalid(f"the turn never got beyond {reached}, and what {stage} needs is not there: use {reached}")
    return _opened_again(message) if stage == FIRST else _sent_back(message, order[order.index(stage) :])


def _reached(turn: Turn, died_at: str, order: tuple[str, ...]) -> str:
    """The last stage that it came to by the way of its slip: one that ended the turn early sent it past the others."""
    if not turn.HasField("outcome"):
        return died_at if died_at in order else FIRST
    return turn.outcome.stage if turn.outcome.stage in order else FIRST


def _sent_back(turn: Turn, remaining: tuple[str, ...]) -> Route:
    onward = Turn()
    onward.CopyFrom(turn)
    onward.ClearField("outcome")
    del onward.slip.remaining[:]
    onward.slip.remaining.extend(remaining)
    return Route(next_topic(onward), onward, key_of(onward))


def _opened_again(turn: Turn) -> Route:
    """The request that the turn carries, under the turn's own id."""
    if turn.WhichOneof("request") == "review":
        review = ReviewSubmitted()
        review.CopyFrom(turn.review)
        return Route(topics.REVIEWS, review, key_of(turn))
    prompt = PromptSubmitted()
    prompt.CopyFrom(turn.prompt)
    prompt.turn_id = turn.turn_id
    return Route(topics.PROMPTS, prompt, key_of(turn))
