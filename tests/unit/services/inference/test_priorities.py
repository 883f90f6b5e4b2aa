"""What a person waits beside a flood of reviews, in steps of the model: no clock, no machine, no noise."""

from dataclasses import dataclass, field
from itertools import count

import pytest

from services.inference.domain.admission import Admission, Ask, Deferred, Granted, Late, Priority

STEP = 512
SLOTS = 32
OUTSTANDING = 200
CHAT_TOKENS = 120


@dataclass
class Pipeline:
    """A model that reads prompts in the order in which it got them, `STEP` tokens a step, many at once."""

    unread: dict[str, int] = field(default_factory=dict)

    def step(self) -> list[str]:
        """The requests whose prompts were read to their end."""
        left = STEP
        for number in list(self.unread):
            taken = min(left, self.unread[number])
            self.unread[number] -= taken
            left -= taken
        done = [number for number, tokens in self.unread.items() if not tokens]
        for number in done:
            del self.unread[number]
        return done


@dataclass
class Model:
    """A pipeline behind its queue; reviews are without end, and over once they are read."""

    reviews: Priority | None
    review_tokens: int
    admission: Admission = field(default_factory=lambda: Admission(slots=SLOTS, queue=1000, step_tokens=STEP))
    pipeline: Pipeline = field(default_factory=Pipeline)
    tokens: dict[str, int] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)
    reviewed: int = 0

    def ask(self, number: str, priority: Priority, tokens: int) -> None:
        self.tokens[number] = tokens
        assert self.admission.enqueue(Ask(number, priority, tokens))
        self.decide()

    def decide(self) -> None:
        for decision in self.admission.decide(0):
            match decision:
                case Granted(number):
                    self.pipeline.unread[number] = self.tokens[number]
                case Deferred(number):
                    self.pipeline.unread.pop(number)
                case Late():
                    raise AssertionError("nothing here has a deadline")

    def step(self) -> list[str]:
        if self.reviews is not None:
            while self.admission.running + self.admission.waiting < OUTSTANDING:
                # Of all sizes, so that chats come upon steps that are full in every way.
                nth = next(self.numbers)
                self.ask(f"review-{nth}", self.reviews, 1 + self.review_tokens * (nth % 7) // 3)
        done = self.pipeline.step()
        for number in done:
            self.admission.read(number)
            if number.startswith("review"):
                self.reviewed += 1
                self.admission.leave(number)
        self.decide()
        return done

    def first_token_after(self, name: str) -> int:
        """Steps until a chat that is asked now has its first token."""
        self.ask(name, "interactive", CHAT_TOKENS)
        for steps in count(1):
            if name in self.step():
                self.admission.leave(name)
                self.decide()
                return steps
        raise AssertionError("a chat is answered some time")


def waits(model: Model) -> list[int]:
    for _ in range(20):
        model.step()
    found = []
    for number in range(50):
        found.append(model.first_token_after(f"chat-{number}"))
        for _ in range(number % 5):
            model.step()
    return found


@pytest.mark.parametrize("review_tokens", [50, 200, 600])
def test_a_person_waits_one_step_longer_at_most_however_many_reviews_there_are(review_tokens: int) -> None:
    """INVARIANT: reviews fill the slack: they delay a first token by what is being read in one step."""
    alone = waits(Model(None, review_tokens))
    beside = waits(Model("batch", review_tokens))
    as_people = waits(Model("interactive", review_tokens))
    assert max(alone) == 1
    assert max(beside) <= 2
    assert sum(as_people) > 5 * sum(beside)


def test_of_long_reviews_only_one_that_has_made_way_three_times_is_waited_for() -> None:
    beside = waits(Model("batch", 1500))
    assert sum(beside) <= 2 * len(beside)
    assert max(beside) <= 1 + 3000 // STEP + 1


@pytest.mark.parametrize("review_tokens", [50, 200, 400, 600])
def test_reviews_keep_three_quarters_of_their_pace_for_being_ready_to_make_way(review_tokens: int) -> None:
    model, never_waiting = Model("batch", review_tokens), Model("interactive", review_tokens)
    for _ in range(200):
        model.step()
        never_waiting.step()
    assert model.reviewed > 0.75 * never_waiting.reviewed
