"""What became of messages: read from the topics that things end on, from memory or from a broker alike."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified
from headrace.v1.turns_pb2 import Turn
from tests.chaos.mutants.mutant import TAG

READ = (
    topics.RESPONSES,
    topics.RESPONSE_DELTAS,
    topics.REVIEWS_CLASSIFIED,
    topics.TURNS_COMPLETED,
    topics.DEAD_LETTERS,
)


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter. `tag` names the mutant; it is empty for what an earlier stage had written."""

    tag: str
    error: str
    letter: DeadLetter


@dataclass(slots=True)
class Ends:
    """Everything that ended, by id."""

    finals: dict[str, list[ResponseCompleted]] = field(default_factory=lambda: defaultdict(list))
    conversations: set[str] = field(default_factory=set)
    classes: dict[str, list[ReviewClassified]] = field(default_factory=lambda: defaultdict(list))
    deltas: dict[str, dict[tuple[int, int], str]] = field(default_factory=lambda: defaultdict(dict))
    completed: set[str] = field(default_factory=set)
    buried: list[Buried] = field(default_factory=list)

    def take(self, topic: str, value: bytes, held: Mapping[str, str]) -> None:
        """Note a record that a service has published; what the attack itself sent is passed over."""
        if TAG in held:
            return
        kind = held.get(headers.CONTENT_TYPE, "")
        if topic == topics.RESPONSES:
            final = decode(value, ResponseCompleted, kind)
            self.finals[final.turn_id].append(final)
            self.conversations.add(final.conversation_id)
        elif topic == topics.REVIEWS_CLASSIFIED:
            review = decode(value, ReviewClassified, kind)
            self.classes[review.review_id].append(review)
        elif topic == topics.RESPONSE_DELTAS:
            delta = decode(value, ResponseDelta, kind)
            self.deltas[delta.turn_id][delta.attempt, delta.seq] = delta.text
        elif topic == topics.TURNS_COMPLETED:
            self.completed.add(decode(value, Turn, kind).turn_id)
        elif topic == topics.DEAD_LETTERS:
            self._bury(decode(value, DeadLetter, kind))

    def text_of(self, turn_id: str) -> str:
        """The pieces of an answer, joined."""
        return "".join(text for _, text in sorted(self.deltas[turn_id].items()))

    def _bury(self, letter: DeadLetter) -> None:
        own = {header.key: header.value.decode("utf-8", "replace") for header in letter.headers}
        self.buried.append(Buried(own.get(TAG, ""), getattr(letter.error, "class"), letter))


def ids_of(message: Message) -> tuple[str, ...]:
    """By what an answer to this message is found; empty where it names itself nowhere. Long names may be cut."""
    found = (
        getattr(message, "turn_id", ""),
        getattr(message, "conversation_id", ""),
        getattr(message, "review_id", ""),
    )
    return tuple(dict.fromkeys(cut for name in found if name for cut in (name, name[:200])))
