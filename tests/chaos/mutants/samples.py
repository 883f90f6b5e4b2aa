"""Which valid messages each topic gets, and where the mutants of each come from."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.contract import PROTOBUF
from tests.chaos.mutants import messages, turns
from tests.chaos.mutants.messages import Sample

Make = Callable[[Random, int], Sample]

# Which service waits on the retry topics for which topic.
_RETRIED: Final[Mapping[str, str]] = {
    "preprocessing": topics.PROMPTS,
    "grounding": topics.turns("grounding", "interactive"),
    "safety": topics.turns("safety", "interactive"),
    "inference": topics.turns("inference", "interactive"),
    "postprocessing": topics.turns("postprocessing", "interactive"),
    "feedback": topics.FEEDBACK,
}
# Public topics come first in a client's mind, and in an attacker's.
_WEIGHTS: Final[Mapping[str, int]] = {
    topics.PROMPTS: 4,
    topics.REVIEWS: 4,
    topics.FEEDBACK: 4,
    topics.KNOWLEDGE: 4,
    topics.CANCELLATIONS: 4,
    topics.DELTAS_GENERATED: 3,
    topics.DELTAS_CLEARED: 3,
    topics.RESPONSES: 3,
    topics.RESPONSE_DELTAS: 3,
    topics.TURNS_COMPLETED: 3,
}


def sample(topic: str, chance: Random, now_ms: int) -> Sample:
    """A valid message of a topic; of a retry topic, one that waits there for its next try."""
    if topic in _RETRY_TOPICS:
        return _retried(topic, chance, now_ms)
    found = _made(topic, chance, now_ms)
    identity: tuple[tuple[str, bytes], ...] = (
        (headers.MESSAGE_ID, found.id.encode()),
        (headers.TENANT, messages.TENANT.encode()),
        (headers.CONTENT_TYPE, found.content_type.encode()),
        (headers.TRACEPARENT, f"00-{chance.getrandbits(128) or 1:032x}-{chance.getrandbits(64) or 1:016x}-01".encode()),
        (headers.DEADLINE, str(now_ms + 43_200_000).encode()),
    )
    if topic == topics.PROMPTS:
        identity = (*identity, (headers.REPLY_PARTITION, str(chance.randrange(2)).encode()))
    return Sample(topic, found.id, found.message, found.key, found.encoding, identity)


def any_topic(chance: Random) -> str:
    """A topic, the public ones more often."""
    return chance.choices(TOPICS, _TOPIC_WEIGHTS)[0]


def _made(topic: str, chance: Random, now_ms: int) -> Sample:
    if topic in _STAGES:
        stage, lane = _STAGES[topic]
        turn = turns.turn(chance, stage, lane, now_ms)
        return Sample(topic, turn.turn_id, turn, turn.conversation_id)
    message, identity, key = _EVENTS[topic](chance, now_ms)
    encoding = messages.any_encoding(chance) if topic in _IN_BOTH else PROTOBUF
    return Sample(topic, identity, message, key, encoding)


def _retried(topic: str, chance: Random, now_ms: int) -> Sample:
    source = _RETRIED[_RETRY_TOPICS[topic]]
    waiting = sample(source, chance, now_ms)
    told = (
        (headers.ATTEMPT, b"2"),
        (headers.NOT_BEFORE, str(now_ms - 1000).encode()),
        (headers.ORIGIN_TOPIC, source.encode()),
        (headers.ORIGIN_PARTITION, b"0"),
        # Higher than any offset of the run: no two of the letters are about one place.
        (headers.ORIGIN_OFFSET, str(2**40 + chance.getrandbits(50)).encode()),
        (headers.ORIGIN_TIMESTAMP, str(now_ms).encode()),
    )
    return Sample(topic, waiting.id, waiting.message, waiting.key, waiting.encoding, (*waiting.headers, *told))


_Event = Callable[[Random, int], tuple[Message, str, str]]


def _prompt(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = messages.prompt(chance, now_ms)
    return found, found.turn_id, found.conversation_id


def _review(chance: Random, _now_ms: int) -> tuple[Message, str, str]:
    found = messages.review(chance)
    return found, found.review_id, found.review_id


def _feedback(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = messages.feedback(chance, now_ms)
    return found, found.feedback_id, found.turn_id


def _knowledge(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = messages.knowledge(chance, now_ms)
    return found, found.document_id, f"{found.tenant}/{found.collection}/{found.document_id}"


def _cancellation(chance: Random, _now_ms: int) -> tuple[Message, str, str]:
    found = messages.cancellation(chance)
    return found, found.turn_id, found.turn_id


def _delta(chance: Random, _now_ms: int) -> tuple[Message, str, str]:
    found = messages.delta(chance)
    return found, found.turn_id, found.turn_id


def _completed(chance: Random, _now_ms: int) -> tuple[Message, str, str]:
    found = messages.completed(chance)
    return found, found.turn_id, found.conversation_id


def _classified(chance: Random, _now_ms: int) -> tuple[Message, str, str]:
    found = messages.classified(chance)
    return found, found.review_id, found.review_id


def _letter(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = messages.letter(chance, now_ms)
    return found, f"{found.origin.offset}", found.key.decode()


def _disposition(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = messages.disposition(chance, now_ms)
    return found, found.letter_id, found.letter_id


def _generated(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = turns.generated(chance, now_ms)
    return found, found.context.turn_id, found.context.conversation_id


def _cleared(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = turns.cleared(chance, now_ms)
    return found, found.context.turn_id, found.context.conversation_id


def _turn_completed(chance: Random, now_ms: int) -> tuple[Message, str, str]:
    found = turns.completed_turn(chance, now_ms)
    return found, found.turn_id, found.conversation_id


_EVENTS: Final[Mapping[str, _Event]] = {
    topics.PROMPTS: _prompt,
    topics.REVIEWS: _review,
    topics.REVIEWS_CLASSIFIED: _classified,
    topics.FEEDBACK: _feedback,
    topics.KNOWLEDGE: _knowledge,
    topics.CANCELLATIONS: _cancellation,
    topics.RESPONSES: _completed,
    topics.RESPONSE_DELTAS: _delta,
    topics.DEAD_LETTERS: _letter,
    topics.DISPOSITIONS: _disposition,
    topics.DELTAS_GENERATED: _generated,
    topics.DELTAS_CLEARED: _cleared,
    topics.TURNS_COMPLETED: _turn_completed,
}
_IN_BOTH: Final = topics.PUBLIC | {topics.RESPONSES, topics.RESPONSE_DELTAS, topics.REVIEWS_CLASSIFIED}
_STAGES: Final = {topic: (stage, lane) for topic, stage, lane in turns.stage_topics()}
_RETRY_TOPICS: Final = {
    topic: service for service in topics.SERVICES for topic in topics.retries_of(service, topics.RETRY_TIERS)
}
TOPICS: Final = tuple(sorted({*_EVENTS, *_STAGES, *_RETRY_TOPICS}))
# All retry topics together count as much as three others.
_TOPIC_WEIGHTS: Final = [
    3 / len(_RETRY_TOPICS) if topic in _RETRY_TOPICS else _WEIGHTS.get(topic, 1) for topic in TOPICS
]
