"""The topics that others write and read, described by FastStream as AsyncAPI."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Final

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.message_models import model_of
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.prompts_pb2 import CancelRequested, PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted


@dataclass(frozen=True, slots=True)
class _Channel:
    topic: str
    message: type[Message]
    says: str


WRITTEN: Final = (
    _Channel(topics.PROMPTS, PromptSubmitted, "Questions, and texts to be made vectors. Keyed by conversation."),
    _Channel(topics.REVIEWS, ReviewSubmitted, "Texts to be classified. Keyed by review."),
    _Channel(topics.FEEDBACK, FeedbackSubmitted, "What a person says of an answer. Keyed by turn."),
    _Channel(
        topics.KNOWLEDGE, KnowledgeDocument, "What answers are grounded in. Keyed by document; a tombstone deletes it."
    ),
    _Channel(topics.CANCELLATIONS, CancelRequested, "The wish to stop a turn. Keyed by turn."),
)
READ: Final = (
    _Channel(topics.RESPONSE_DELTAS, ResponseDelta, "Pieces of answers. Dedupe by turn, attempt and seq."),
    _Channel(topics.RESPONSES, ResponseCompleted, "The final word on each turn. The first one for a turn counts."),
    _Channel(topics.REVIEWS_CLASSIFIED, ReviewClassified, "The class of each review, or why it has none."),
    _Channel(topics.DEAD_LETTERS, DeadLetter, "What could not be processed, with its bytes. `headrace dlq` works it."),
)
_ABOUT: Final = f"""\
Values are Protobuf, or proto-JSON (as below) where the header `{headers.CONTENT_TYPE}` says `application/json`; the
answer comes in the encoding of the question. Other headers, all of them optional: `{headers.MESSAGE_ID}`,
`{headers.TENANT}`, `{headers.DEADLINE}` (epoch milliseconds), `{headers.TRACEPARENT}`, `{headers.REPLY_PARTITION}`.
Fields that are left out take their defaults. Contracts only ever gain fields.
"""


@cache
def asyncapi_json() -> str:
    """The document, as JSON (AsyncAPI 3.0)."""
    broker = KafkaBroker("localhost:9092")
    for channel in WRITTEN:
        name, model = channel.message.DESCRIPTOR.name, model_of(channel.message)

        async def taken(message: model) -> None:  # type: ignore[valid-type]  # FastStream reads the type from here
            """Nobody is called: services subscribe in their own way."""

        broker.subscriber(channel.topic, title=name, description=channel.says)(taken)
    for channel in READ:
        name, model = channel.message.DESCRIPTOR.name, model_of(channel.message)
        broker.publisher(channel.topic, title=name, description=channel.says, schema=model)
    made = AsyncAPI(broker, title="Headrace", version="1", description=_ABOUT).to_specification().to_jsonable()
    for message in made["components"]["messages"].values():
        message["correlationId"] = {"location": f"$message.header#/{headers.MESSAGE_ID}"}
    # FastStream keeps its channels in no order.
    return json.dumps(made, sort_keys=True)
