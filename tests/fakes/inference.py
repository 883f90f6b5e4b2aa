"""The ledger and the cache in memory, with switches that take them down, and models that say what a test wants."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from headrace.stores.answers import AnswerKey, Outcome
from services.inference.ports import (
    Busy,
    Chat,
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
    Vectors,
)


@dataclass
class MemoryLedger:
    down: bool = False
    attempts: dict[str, int] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    async def claim(self, tenant: str, turn_id: str, floor: int) -> Claim:
        self._reach()
        if record := self.records.get(turn_id):
            return Committed(record, self.attempts[turn_id])
        if turn_id in self.held:
            return Busy(50)
        again = turn_id in self.attempts
        self.held.add(turn_id)
        self.attempts[turn_id] = max(self.attempts.get(turn_id, 0) + 1, floor)
        return Claimed(self.attempts[turn_id], again=again)

    async def renew(self, tenant: str, turn_id: str, attempt: int) -> bool:
        self._reach()
        if turn_id in self.records or self.attempts.get(turn_id, 0) > attempt:
            return False
        self.attempts[turn_id] = attempt
        self.held.add(turn_id)
        return True

    async def commit(self, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        self._reach()
        known = self.attempts.get(turn_id, 0)
        if known > attempt or (turn_id in self.records and known != attempt):
            return False
        self.attempts[turn_id] = attempt
        self.records[turn_id] = record
        self.held.discard(turn_id)
        return True

    async def release(self, tenant: str, turn_id: str, attempt: int) -> None:
        self._reach()
        self.held.discard(turn_id)

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the ledger is down")


@dataclass
class MemoryCache:
    down: bool = False
    sections: dict[AnswerKey, bytes] = field(default_factory=dict)
    making: set[AnswerKey] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    async def get(self, answer: AnswerKey) -> bytes | None:
        self._reach()
        return self.sections.get(answer)

    async def put(self, answer: AnswerKey, section: bytes) -> None:
        self._reach()
        self.sections[answer] = section

    async def begin(self, answer: AnswerKey) -> bool:
        self._reach()
        if answer in self.making:
            return False
        self.making.add(answer)
        return True

    async def end(self, answer: AnswerKey) -> None:
        self.making.discard(answer)

    async def count(self, answer: AnswerKey, outcome: Outcome) -> None:
        self._reach()
        self.counts[outcome] += 1

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the cache is down")


@dataclass
class ScriptedEngine:
    """Says, word by word, what `answer` makes of the last message; a closed `gate` holds back the last word."""

    answer: Callable[[str], str]
    name: str = "scripted"
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    running: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        assert isinstance(request.prompt, Chat)
        self.asked.append(request.prompt.messages)
        words = self.answer(request.prompt.messages[-1][1]).split(" ")
        self.running += 1
        try:
            for number, word in enumerate(words, 1):
                if number == len(words):
                    await self.gate.wait()
                await asyncio.sleep(0)
                text = word if number == 1 else f" {word}"
                yield Chunk(text, 10, number, "stop" if number == len(words) else None)
        finally:
            self.running -= 1

    async def cancel(self, request_id: str) -> None:
        """Requests of this engine end with their generator."""

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Of each text its length, and one."""
        rows = b"".join(struct.pack("<2f", len(text), 1.0) for text in request.texts)
        return Vectors(rows, len(request.texts), sum(len(text.split()) for text in request.texts))

    async def score(self, request: ScoreRequest) -> Scores:
        """All the probability on the first label that the prompt's last message contains, else on the first."""
        assert isinstance(request.prompt, Chat)
        self.asked.append(request.prompt.messages)
        text = request.prompt.messages[-1][1]
        chosen = next((label for label in request.labels if label in text), request.labels[0])
        return Scores(tuple(float(label == chosen) for label in request.labels), 10)


@dataclass
class OneModel:
    """Every model is this engine."""

    engine_: Engine

    async def engine(self, spec: ModelSpec) -> Engine:
        return self.engine_

    async def check(self) -> None:
        pass
