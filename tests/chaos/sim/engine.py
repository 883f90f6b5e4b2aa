"""A model that never says the same twice: two generations of one turn that got mixed up show it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from headrace.models.spec import ModelSpec
from services.inference.ports import Chat, Chunk, EmbedRequest, Engine, GenerationRequest, ScoreRequest, Scores, Vectors

_WORDS = "The water runs. It turns the wheel and leaves by the tail race. So it goes on".split()


@dataclass
class SimEngine:
    """Says a few sentences with the number of its generation in each."""

    # Told of every generation that begins.
    began: Callable[[str], None]
    name: str = "sim"
    generations: Counter[str] = field(default_factory=Counter)
    running: int = 0
    pace_s: float = 0.05

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        assert isinstance(request.prompt, Chat)
        self.began(request.request_id)
        self.generations[request.request_id] += 1
        number = self.generations[request.request_id]
        words = [f"Take {number}.", *_WORDS, f"for {request.request_id[:8]}, take {number}."]
        self.running += 1
        try:
            for count, word in enumerate(words, 1):
                await asyncio.sleep(self.pace_s)
                yield Chunk(word if count == 1 else f" {word}", 10, count, "stop" if count == len(words) else None)
        finally:
            self.running -= 1

    async def embed(self, request: EmbedRequest) -> Vectors:
        raise AssertionError("no scenario embeds")

    async def cancel(self, request_id: str) -> None:
        """A request ends with its generator."""

    async def score(self, request: ScoreRequest) -> Scores:
        self.began(request.request_id)
        self.generations[request.request_id] += 1
        await asyncio.sleep(self.pace_s)
        return Scores(tuple(float(index == 0) for index in range(len(request.labels))), 10)


@dataclass
class OneModel:
    """Every model is this engine."""

    engine_: Engine

    async def engine(self, spec: ModelSpec) -> Engine:
        return self.engine_

    async def check(self) -> None:
        """Always there."""
