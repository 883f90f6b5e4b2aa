"""Which message each topic carries."""

from types import MappingProxyType
from typing import Final

from google.protobuf.message import Message

from headrace.messaging import topics
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.human_reviews_pb2 import HumanReviewRequested
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.prompts_pb2 import CancelRequested, PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted
from headrace.v1.turns_pb2 import ClearedDelta, GeneratedDelta, Turn

# The stage that each turn topic waits for.
STAGE_OF: Final = MappingProxyType(
    {topics.turns(stage, lane): stage for stage in topics.STAGES for lane in topics.LANES}
)

_CARRIED: Final[dict[str, type[Message]]] = {
    topics.PROMPTS: PromptSubmitted,
    topics.REVIEWS: ReviewSubmitted,
    topics.REVIEWS_CLASSIFIED: ReviewClassified,
    topics.RESPONSES: ResponseCompleted,
    topics.RESPONSE_DELTAS: ResponseDelta,
    topics.FEEDBACK: FeedbackSubmitted,
    topics.KNOWLEDGE: KnowledgeDocument,
    topics.CANCELLATIONS: CancelRequested,
    topics.HUMAN_REVIEWS: HumanReviewRequested,
    topics.DEAD_LETTERS: DeadLetter,
    topics.DISPOSITIONS: DeadLetterDisposition,
    topics.DELTAS_GENERATED: GeneratedDelta,
    topics.DELTAS_CLEARED: ClearedDelta,
    topics.TURNS_COMPLETED: Turn,
    **dict.fromkeys(STAGE_OF, Turn),
}


def carried(topic: str) -> type[Message] | None:
    """The type of a topic's messages; None for a topic of retries, which carries those of others, and for no topic."""
    return _CARRIED.get(topic)
