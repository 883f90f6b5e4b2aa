"""The response cache as Redis keeps it: answers, and locks that run out."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from headrace.messaging.clock import Clock
from headrace.stores.answers import AnswerKey, Outcome

_MAKING_MS: Final = 30_000


@dataclass
class SimCache:
    """All answers; put it behind a `Remote`."""

    clock: Clock
    sections: dict[AnswerKey, bytes] = field(default_factory=dict)
    making: dict[AnswerKey, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    async def get(self, answer: AnswerKey) -> bytes | None:
        return self.sections.get(answer)

    async def put(self, answer: AnswerKey, section: bytes) -> None:
        self.sections[answer] = section

    async def begin(self, answer: AnswerKey) -> bool:
        if self.making.get(answer, 0) > self.clock.now_ms():
            return False
        self.making[answer] = self.clock.now_ms() + _MAKING_MS
        return True

    async def end(self, answer: AnswerKey) -> None:
        self.making.pop(answer, None)

    async def count(self, answer: AnswerKey, outcome: Outcome) -> None:
        self.counts[outcome] += 1
