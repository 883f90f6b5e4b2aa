"""What the response cache saves, and whether it ever answers another question than was asked."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from headrace.bench.figures import percentile
from headrace.bench.intervals import Interval, wilson
from headrace.client.answers import Answer, Sampling, Text
from headrace.client.asynchronous import AsyncClient

MAX_TOKENS: Final = 32
_AT_ONCE: Final = 8
_SEEDS: Final = 2**31


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with what else shapes its answer; two that are equal deserve one answer."""

    text: str
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Given:
    """One answer and how long it took."""

    question: Question
    text: str
    cached: bool
    first_token_ms: float
    done_ms: float


@dataclass(frozen=True, slots=True)
class Round:
    """One way of asking all of them. `could`: how many had been answered before."""

    name: str
    given: tuple[Given, ...]
    could: int
    wrong: int
    seconds: float

    @property
    def hits(self) -> int:
        """How many came from the cache."""
        return sum(each.cached for each in self.given)

    @property
    def wrong_share(self) -> Interval:
        """Wrong hits of all that were asked."""
        return wilson(self.wrong, len(self.given))

    def as_json(self) -> dict[str, Any]:
        """The figures."""
        cached = [each.done_ms for each in self.given if each.cached]
        made = [each.done_ms for each in self.given if not each.cached]
        return {
            "round": self.name,
            "asked": len(self.given),
            "repeated": self.could,
            "hits": self.hits,
            "wrong_hits": self.wrong,
            "wrong_at_most": self.wrong_share.high,
            "first_token_p50_ms": percentile([each.first_token_ms for each in self.given], 50),
            "done_p50_ms": percentile([each.done_ms for each in self.given], 50),
            "done_hit_p50_ms": percentile(cached, 50) if cached else None,
            "done_made_p50_ms": percentile(made, 50) if made else None,
            "seconds": self.seconds,
        }


def asked_often(prompts: Sequence[str], count: int) -> list[str]:
    """So many askings, the n-th prompt in proportion to 1/n (Zipf), spread evenly, the same each time."""
    weights = [1 / rank for rank in range(1, len(prompts) + 1)]
    owed = [0.0] * len(prompts)
    chosen: list[str] = []
    for _ in range(count):
        for place, weight in enumerate(weights):
            owed[place] += weight / sum(weights)
        place = max(range(len(prompts)), key=lambda index: owed[index])
        owed[place] -= 1
        chosen.append(prompts[place])
    return chosen


class Evaluation:
    """Asks a running stack; `advance` hears of every answer."""

    def __init__(self, client: AsyncClient, prompts: Sequence[str], asks: int) -> None:
        self._client = client
        self._prompts = prompts
        self._texts = asked_often(prompts, asks)
        self.advance: Callable[[int], None] = lambda _more: None
        # A seed is part of the key: another for each run, so that nothing of an earlier one is found.
        self._seed = uuid.uuid4().int % _SEEDS
        self._known: dict[Question, str] = {}

    @property
    def total(self) -> int:
        """How many answers there will be."""
        return 2 * len(self._texts) + len(_NEAR) * len(set(self._texts)) + _AT_ONCE

    async def rounds(self) -> AsyncIterator[Round]:
        """Without the cache, with it, with questions that are nearly the same, and many at once."""
        yield await self._round("no cache", [self._fresh(text, at) for at, text in enumerate(self._texts)])
        yield await self._round("cache", [self._asked(text) for text in self._texts])
        asked = dict.fromkeys(self._texts)
        near = [change(self._asked(text)) for text in asked for change in _NEAR]
        yield await self._round("nearly the same", near)
        yield await self._together(self._fresh(self._prompts[0], len(self._texts)))

    def _asked(self, text: str) -> Question:
        return Question(text, Sampling(max_tokens=MAX_TOKENS, seed=self._seed))

    def _fresh(self, text: str, at: int) -> Question:
        return Question(text, Sampling(max_tokens=MAX_TOKENS, seed=(self._seed + 1 + at) % _SEEDS))

    async def _round(self, name: str, questions: Sequence[Question]) -> Round:
        given: list[Given] = []
        could = wrong = 0
        began = time.monotonic()
        for question in questions:
            known = self._known.get(question)
            answer = await self._ask(question)
            could += known is not None
            # From the cache although nobody had asked this, or other words than this was answered with.
            wrong += answer.cached and answer.text != known
            self._known.setdefault(question, answer.text)
            given.append(answer)
        return Round(name, tuple(given), could, wrong, time.monotonic() - began)

    async def _together(self, question: Question) -> Round:
        began = time.monotonic()
        given = await asyncio.gather(*(self._ask(question) for _ in range(_AT_ONCE)))
        made = {each.text for each in given if not each.cached}
        wrong = sum(each.cached and each.text not in made for each in given)
        return Round(f"{_AT_ONCE} at once", tuple(given), _AT_ONCE - 1, wrong, time.monotonic() - began)

    async def _ask(self, question: Question) -> Given:
        began = time.monotonic()
        first: float | None = None
        async with aclosing(self._client.stream(question.text, sampling=question.sampling)) as events:
            async for event in events:
                if isinstance(event, Text) and first is None:
                    first = (time.monotonic() - began) * 1000
                if isinstance(event, Answer):
                    done = (time.monotonic() - began) * 1000
                    self.advance(1)
                    return Given(question, event.text, event.cached, done if first is None else first, done)
        raise AssertionError("a stream ended without an answer")


def _with(question: Question, **changed: Any) -> Question:
    return replace(question, sampling=replace(question.sampling, **changed))


# Each deserves an answer of its own.
_NEAR: Final[tuple[Callable[[Question], Question], ...]] = (
    lambda question: replace(question, text=f"{question.text}?!"),
    lambda question: replace(question, text=f"Not: {question.text}"),
    lambda question: _with(question, max_tokens=MAX_TOKENS - 1),
    lambda question: _with(question, stop=("\n\n",)),
)
