"""Engines, a ledger and a cache in memory, with switches for what goes wrong."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from headrace.stores.answers import AnswerKey, Outcome
from services.inference.domain.token_log import TokenLogprob
from services.inference.ports import (
    Busy,
    Chunk,
    Claim,
    Claimed,
    Committed,
    EmbedRequest,
    Engine,
    GenerationRequest,
    Record,
    ScoreRequest,
    Scores,
    TooLate,
    Vectors,
)


@dataclass
class ScriptedEngine:
    """Says its words one by one; `pause_after` words it waits until `go_on` is set, `waits_first` before any."""

    words: Sequence[str] = ("Hello", ", ", "world", ".")
    pause_after: int | None = None
    fails_after: int | None = None
    waits_first: bool = False
    too_late: bool = False
    # Nobody is taken on.
    full: bool = False
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[GenerationRequest] = field(default_factory=list)
    scored: list[ScoreRequest] = field(default_factory=list)
    # What each word's token is said to be, where probabilities are asked for.
    probable: Sequence[TokenLogprob] = ()
    closed: int = 0

    @property
    def name(self) -> str:
        return "scripted"

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        try:
            if self.too_late:
                raise TooLate("no slot in time")
            if self.full:
                raise Retryable("its queue is taken")
            if self.waits_first:
                await self.go_on.wait()
            for count, word in enumerate(self.words, start=1):
                last = count == len(self.words)
                told = self.probable[count - 1 : count] if request.sampling.logprobs is not None else ()
                yield Chunk(word, 7, count, "stop" if last else None, tuple(told))
                if count == self.fails_after:
                    raise Retryable("the engine broke")
                if count == self.pause_after:
                    await self.go_on.wait()
        finally:
            self.closed += 1

    async def score(self, request: ScoreRequest) -> Scores:
        self.scored.append(request)
        return Scores(tuple(1 / len(request.labels) for _ in request.labels), 7)

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Of each text its length, and one; the tokens are its words."""
        if self.waits_first:
            await self.go_on.wait()
        rows = b"".join(struct.pack("<2f", len(text), 1.0) for text in request.texts)
        return Vectors(rows, len(request.texts), sum(len(text.split()) for text in request.texts))

    async def cancel(self, request_id: str) -> None:
        """Nothing to cancel: closing the generator is enough."""


@dataclass
class OneEngine:
    """Every model is this engine."""

    running: Engine

    async def engine(self, spec: ModelSpec) -> Engine:
        assert spec.name
        return self.running

    async def check(self) -> None:
        """Always there."""


@dataclass
class InMemoryLedger:
    """A ledger without Redis and without leases: whoever claims, gets."""

    down: bool = False
    # So many calls from now on get no answer.
    hiccups: int = 0
    attempts: dict[str, int] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    released: list[int] = field(default_factory=list)
    # What others are told who ask meanwhile, one after the other.
    busy_ms: list[int] = field(default_factory=list)

    async def claim(self, tenant: str, turn_id: str, floor: int) -> Claim:
        self._reach()
        if self.busy_ms:
            return Busy(self.busy_ms.pop(0))
        key = f"{tenant}/{turn_id}"
        if key in self.records:
            return Committed(self.records[key], self.attempts[key])
        again = key in self.attempts
        self.attempts[key] = max(self.attempts.get(key, 0) + 1, floor)
        return Claimed(self.attempts[key], again=again)

    async def renew(self, tenant: str, turn_id: str, attempt: int) -> bool:
        self._reach()
        key = f"{tenant}/{turn_id}"
        if key in self.records or self.attempts.get(key, 0) > attempt:
            return False
        self.attempts[key] = attempt
        return True

    async def commit(self, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        self._reach()
        key = f"{tenant}/{turn_id}"
        known = self.attempts.get(key, 0)
        if known > attempt or (key in self.records and known != attempt):
            return False
        self.attempts[key] = attempt
        self.records[key] = record
        return True

    async def release(self, tenant: str, turn_id: str, attempt: int) -> None:
        assert f"{tenant}/{turn_id}" in self.attempts
        self.released.append(attempt)

    def _reach(self) -> None:
        if self.down or self.hiccups > 0:
            self.hiccups -= 1
            raise Retryable("the ledger is down")


@dataclass
class InMemoryCache:
    """A cache without Redis."""

    down: bool = False
    answers: dict[AnswerKey, bytes] = field(default_factory=dict)
    making: set[AnswerKey] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    async def get(self, answer: AnswerKey) -> bytes | None:
        self._reach()
        return self.answers.get(answer)

    async def put(self, answer: AnswerKey, section: bytes) -> None:
        self._reach()
        self.answers[answer] = section

    async def begin(self, answer: AnswerKey) -> bool:
        self._reach()
        if answer in self.making:
            return False
        self.making.add(answer)
        return True

    async def end(self, answer: AnswerKey) -> None:
        self._reach()
        self.making.discard(answer)

    async def count(self, answer: AnswerKey, outcome: Outcome) -> None:
        self._reach()
        self.counts[outcome] += 1

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the cache is down")
