"""What a person waits beside a flood of reviews on one model: `python -m tests.bench.priorities [ENGINE …]`.

Chats come one after the other, each with a prompt of its own: alone, beside reviews that keep every slot and the queue
taken, and beside the same reviews where they are asked as if they were people.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from statistics import median, quantiles
from typing import Final

from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.admission import Priority
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, GenerationRequest, ScoreRequest

MODEL: Final = "smollm2-135m-instruct"
ENGINES: Final = ("openvino", "transformers")
CHATS: Final = 20
# Reviews that are outstanding at any time: more than there are slots.
OUTSTANDING: Final = 48
SENTENCE: Final = "The lamp number {} came after {} days, the shade was bent, and nobody answered my letters. "
LABELS: Final = ("positive", "negative", "neutral")
HEADER: Final = (
    "| engine | reviews are | first token p50 | p95 | p50 against alone | reviews/s beside chats |\n"
    "|---|---|---|---|---|---|\n"
)


@dataclass(slots=True)
class Flood:
    """Reviews without end."""

    engine: ProcessEngine
    priority: Priority
    done: int = 0
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, numbers: "count[int]") -> None:
        """One at a time; many of these run side by side."""
        for number in numbers:
            text = "".join(SENTENCE.format(number, n) for n in range(2 + number % 12))
            chat = Chat((("system", "Judge the review."), ("user", f"Review: {text}\nSentiment:")))
            await self.engine.score(ScoreRequest(f"review-{number}", chat, LABELS, self.priority))
            self.done += 1
            if self.done >= OUTSTANDING // 2:
                self.flowing.set()


async def first_token_ms(engine: ProcessEngine, number: int) -> float:
    """A chat of some words, until the first of its answer's."""
    question = f"What does one do with lamp number {number}? " + "Say it shortly. " * 10
    request = GenerationRequest(f"chat-{number}", Chat((("user", question),)), Sampling(max_tokens=8))
    before = time.perf_counter()
    first = 0.0
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                first = first or (time.perf_counter() - before) * 1000
    return first


async def chats(engine: ProcessEngine, numbers: "count[int]") -> list[float]:
    """The waits of all chats."""
    return [await first_token_ms(engine, next(numbers)) for _ in range(CHATS)]


async def beside(engine: ProcessEngine, priority: Priority, numbers: "count[int]") -> tuple[list[float], float]:
    """The waits beside a flood, and how fast it flows meanwhile."""
    flood = Flood(engine, priority)
    flowing = [asyncio.create_task(flood.run(numbers)) for _ in range(OUTSTANDING)]
    await flood.flowing.wait()
    done, before = flood.done, time.perf_counter()
    waits = await chats(engine, numbers)
    rate = (flood.done - done) / (time.perf_counter() - before)
    for task in flowing:
        task.cancel()
    await asyncio.gather(*flowing, return_exceptions=True)
    return waits, rate


async def measure(core: str) -> list[str]:
    """The rows of one engine."""
    spec = load_registry(infra_dir() / "models").get(MODEL)
    engine = ProcessEngine(spec, await asyncio.to_thread(prepare, spec), core=core)
    await engine.start()
    numbers = count()
    await first_token_ms(engine, next(numbers))
    alone = await chats(engine, numbers)
    batch = await beside(engine, "batch", numbers)
    people = await beside(engine, "interactive", numbers)
    await engine.close()
    base = median(alone)
    return [
        _row(core, "not there", alone, base, None),
        _row(core, "batch work", batch[0], base, batch[1]),
        _row(core, "asked as people", people[0], base, people[1]),
    ]


def _row(core: str, what: str, waits: list[float], base: float, rate: float | None) -> str:
    flow = "-" if rate is None else f"{rate:.1f}"
    p95 = quantiles(waits, n=20)[-1]
    return f"| {core} | {what} | {median(waits):.0f} ms | {p95:.0f} ms | {median(waits) / base:.1f} | {flow} |"


def main(engines: Sequence[str]) -> None:
    """Print the rows of each engine."""
    sys.stdout.write(HEADER)
    for core in engines:
        sys.stdout.write("\n".join(asyncio.run(measure(core))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:] or ENGINES)
