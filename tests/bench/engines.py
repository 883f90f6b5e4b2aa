"""The engines through their port: `python -m tests.bench.engines [[MODEL:]ENGINE …]` prints a Markdown table."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, GenerationRequest, ScoreRequest

MODEL = "smollm2-135m-instruct"
ENGINES = ("openvino", "transformers")
TOKENS = 96
THINGS = "river mill wheel valley bridge town winter harvest".split()
REVIEW = "The {} was {} and I would {} it to a friend; delivery took {} days and the box was fine."
REVIEWS = 40
HEADER = (
    "| model | engine | load | tok/s, one stream | tok/s, 8 streams | first token, alone | first token, 8 at once "
    "| reviews/s | memory |\n|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request took."""

    tokens: int
    first_ms: float
    seconds: float


async def ask(engine: ProcessEngine, about: str) -> Asked:
    """One story, without its end: every engine says the same number of tokens."""
    chat = Chat((("system", "You tell long stories."), ("user", f"Tell me a very long story about a {about}.")))
    before = time.perf_counter()
    first = 0.0
    tokens = 0
    async with aclosing(engine.generate(GenerationRequest(about, chat, Sampling(max_tokens=TOKENS)))) as chunks:
        async for chunk in chunks:
            # A piece without text says that the model has begun.
            if chunk.text:
                first = first or time.perf_counter() - before
            tokens = chunk.completion_tokens
    return Asked(tokens, first * 1000, time.perf_counter() - before)


async def classify(engine: ProcessEngine) -> float:
    """Reviews per second, all asked at once."""
    words = ("lamp", "chair"), ("great", "awful"), ("recommend", "not recommend")
    requests = []
    for n in range(REVIEWS):
        text = REVIEW.format(words[0][n % 2], words[1][n // 2 % 2], words[2][n // 2 % 2], n)
        system = "Decide whether the review is positive or negative. Answer with one word."
        chat = Chat((("system", system), ("user", f"Review: {text}\nSentiment:")))
        requests.append(ScoreRequest(f"review-{n}", chat, ("positive", "negative")))
    # OpenVINO makes a pipeline for labels when the first are to be scored.
    await engine.score(replace(requests[0], request_id="warm-up"))
    before = time.perf_counter()
    await asyncio.gather(*(engine.score(request) for request in requests))
    return REVIEWS / (time.perf_counter() - before)


def resident_mb(pid: int | None) -> float:
    """The memory of the engine's process."""
    fields = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in fields if line.startswith("VmRSS:")) / 1024


async def measure(row: str) -> str:
    """A row of the table."""
    model, _, core = row.rpartition(":")
    spec = load_registry(infra_dir() / "models").get(model or MODEL)
    engine = ProcessEngine(spec, await asyncio.to_thread(prepare, spec), core=core)
    before = time.perf_counter()
    await engine.start()
    load = time.perf_counter() - before
    await ask(engine, "warm-up")
    alone = [await ask(engine, thing) for thing in THINGS[:3]]
    before = time.perf_counter()
    together = await asyncio.gather(*(ask(engine, thing) for thing in THINGS))
    rate = sum(asked.tokens for asked in together) / (time.perf_counter() - before)
    reviews = await classify(engine)
    memory = resident_mb(engine.core_pid)
    await engine.close()
    single = median((asked.tokens - 1) / (asked.seconds - asked.first_ms / 1000) for asked in alone)
    first = median(asked.first_ms for asked in alone)
    first_of_many = median(asked.first_ms for asked in together)
    return (
        f"| {spec.name} | {core} | {load:.1f} s | {single:.0f} | {rate:.0f} | {first:.0f} ms | {first_of_many:.0f} ms "
        f"| {reviews:.1f} | {memory:.0f} MB |"
    )


def main(engines: Sequence[str]) -> None:
    """Print a row for each engine."""
    sys.stdout.write(HEADER)
    for row in engines:
        sys.stdout.write(asyncio.run(measure(row)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:] or ENGINES)
