"""What clients of the topics send: turns of conversations, reviews, ratings; each with an id that the seed gives."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from google.protobuf.message import Message

from headrace.messaging import topics
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.reviews_pb2 import ReviewSubmitted

TENANT: Final = "chaos"
# Fewer than the exchanges that a memory keeps, so that all of them can be counted.
TURNS_A_CONVERSATION: Final = 10
_IDS: Final = UUID("9c2f8c0a-3c1d-5d0e-9a52-1f6f0c4d2e11")
_WORDS: Final = "sluice weir gate head penstock turbine silt flow drop rack canal basin spillway forebay".split()


@dataclass(frozen=True, slots=True)
class Sent:
    """One message on its way in. `id` is how its effects are found again."""

    topic: str
    key: str
    id: str
    message: Message


@dataclass(frozen=True, slots=True)
class Load:
    """So many turns, each rated once, and reviews; the same for the same seed."""

    turns: int
    reviews: int
    seed: int

    def turn_id(self, number: int) -> str:
        return str(uuid5(_IDS, f"turn {self.seed} {number}"))

    def conversation_of(self, number: int) -> str:
        """Neighbours in time belong to different conversations, so that many are open at once."""
        return f"conversation-{self.seed}-{number % max(1, self.turns // TURNS_A_CONVERSATION)}"

    def turn(self, number: int) -> Sent:
        words = random.Random(f"{self.seed} {number}")  # noqa: S311 - replays, guards nothing
        text = f"Question {number}: what does the {words.choice(_WORDS)} do for the {words.choice(_WORDS)}?"
        turn_id, conversation = self.turn_id(number), self.conversation_of(number)
        prompt = PromptSubmitted(turn_id=turn_id, conversation_id=conversation, tenant=TENANT, user="u", text=text)
        return Sent(topics.PROMPTS, conversation, turn_id, prompt)

    def rating(self, number: int) -> Sent:
        rating_id = str(uuid5(_IDS, f"rating {self.seed} {number}"))
        said = FeedbackSubmitted(
            feedback_id=rating_id, turn_id=self.turn_id(number), rating=1 if number % 3 else -1, tenant=TENANT
        )
        return Sent(topics.FEEDBACK, said.turn_id, rating_id, said)

    def review(self, number: int) -> Sent:
        words = random.Random(f"{self.seed} review {number}")  # noqa: S311 - the same
        text = f"Review {number}: the {words.choice(_WORDS)} was fine, the {words.choice(_WORDS)} was not."
        review_id = f"review-{self.seed}-{number}"
        review = ReviewSubmitted(review_id=review_id, batch_id=f"batch-{self.seed}", tenant=TENANT, text=text)
        return Sent(topics.REVIEWS, review_id, review_id, review)

    @property
    def events(self) -> int:
        return 2 * self.turns + self.reviews

    def all(self) -> Iterator[Sent]:
        """Everything, the kinds evenly mixed over the whole."""
        steps = max(self.turns, self.reviews, 1)
        for step in range(steps):
            for number in _due(step, self.turns, steps):
                yield self.turn(number)
                yield self.rating(number)
            for number in _due(step, self.reviews, steps):
                yield self.review(number)


def _due(step: int, of: int, steps: int) -> range:
    return range(step * of // steps, (step + 1) * of // steps)
