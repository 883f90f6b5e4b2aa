"""More time for what is redriven: its deadline has long passed, and every stage would shed it. Pure.

A deadline stands in the turn, in the request if the client set one, and in a header.
"""

from typing import Final

from google.protobuf.message import Message

from headrace.messaging import headers
from headrace.messaging.errors import Invalid
from headrace.messaging.times import timestamp
from headrace.runtime.pipelines import Pipelines
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.reviews_pb2 import ReviewSubmitted
from headrace.v1.turns_pb2 import Turn

# Of a message whose pipeline is not known (any more).
_USUAL_SECONDS: Final = 120.0
_PROMPTS: Final = "chat"
_REVIEWS: Final = "reviews"


def usual_seconds(message: Message | None, pipelines: Pipelines) -> float:
    """How long the message's pipeline gives a turn."""
    match message:
        case Turn():
            name = message.slip.pipeline
        case PromptSubmitted():
            name = message.pipeline or _PROMPTS
        case ReviewSubmitted():
            name = message.pipeline or _REVIEWS
        case _:
            return _USUAL_SECONDS
    try:
        return pipelines.get(name).deadline_seconds
    except Invalid:
        return _USUAL_SECONDS


def extended(message: Message, until_ms: int) -> bool:
    """Move the message's own deadline, if it has one that comes sooner; whether that changed it."""
    if not isinstance(message, Turn | PromptSubmitted) or not message.HasField("deadline"):
        return False
    # By hand: the library's own conversion refuses moments that a client may well send.
    if message.deadline.seconds * 1000 >= until_ms:
        return False
    message.deadline.CopyFrom(timestamp(until_ms))
    return True


def extended_header(held: tuple[tuple[str, bytes], ...], until_ms: int) -> tuple[tuple[str, bytes], ...]:
    """The headers with a deadline that comes no sooner; none is added where there was none."""
    return tuple((name, _later(value, until_ms) if name == headers.DEADLINE else value) for name, value in held)


def _later(value: bytes, until_ms: int) -> bytes:
    try:
        return value if int(value) >= until_ms else str(until_ms).encode()
    except ValueError:
        return str(until_ms).encode()
