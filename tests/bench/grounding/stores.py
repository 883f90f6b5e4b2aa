"""Measures the two embedded Qdrants: `python -m tests.bench.grounding.stores --chunks 5000 50000`.

Points as grounding writes them, meaning and words, of four tenants; what is asked is one tenant's quarter.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import psutil
from qdrant_client import AsyncQdrantClient

from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.points import DENSE, Point, Points
from services.grounding.adapters.server import ServerPoints
from services.grounding.domain.lexical import Sparse, passage_weights, question_weights
from services.grounding.domain.ranking import LIST

TENANTS = 4
DIMENSIONS = 384
WORDS = 20_000
# Of a passage, of a question, and of a question that is a page long.
PASSAGE_WORDS, QUESTION_WORDS, PAGE_WORDS, PAGE_WINDOWS = 40, 6, 300, 40
MATCH = {"kind": "chunk", "tenant": "t1", "collection": "c"}
BATCH = 128
# A question that takes seconds is asked less often.
ASKED_SECONDS = 20.0


def say(line: str) -> None:
    """Print a figure as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Corpus:
    """Chunks of chance: directions in space, words as often as words are (Zipf)."""

    def __init__(self, chunks: int) -> None:
        self.chunks = chunks
        self._chance = np.random.default_rng(1)

    def vector(self) -> list[float]:
        vector = self._chance.normal(size=DIMENSIONS)
        return [float(value) for value in vector / np.linalg.norm(vector)]

    def words(self, count: int) -> list[str]:
        ranks = np.minimum(self._chance.zipf(1.3, count), WORDS)
        return [f"w{rank}" for rank in ranks]

    def points(self, first: int) -> list[Point]:
        return [
            Point(
                f"00000000-0000-0000-0000-{number:012d}",
                {"kind": "chunk", "tenant": f"t{number % TENANTS}", "collection": "c", "text": "x" * 700},
                {DENSE: self.vector()},
                passage_weights(self.words(PASSAGE_WORDS)),
            )
            for number in range(first, min(first + BATCH, self.chunks))
        ]

    def question(self, windows: int, words: int) -> tuple[list[list[float]], Sparse]:
        return [self.vector() for _ in range(windows)], question_weights(self.words(words))


async def timed(work: Callable[[], Awaitable[object]], times: int = 200) -> list[float]:
    """Milliseconds of each call, sorted; fewer calls where they take long."""
    spent: list[float] = []
    while len(spent) < times and sum(spent) < 1000 * ASKED_SECONDS:
        start = time.perf_counter()
        await work()
        spent.append(1000 * (time.perf_counter() - start))
    return sorted(spent)


async def blocked_ms(work: Awaitable[object]) -> float:
    """The longest that the event loop stood still meanwhile."""
    loop, longest, done = asyncio.get_running_loop(), 0.0, False

    async def watch() -> None:
        nonlocal longest
        while not done:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before - 0.001)

    watching = asyncio.create_task(watch())
    # What never gives way would be over before the watch begins.
    await asyncio.sleep(0)
    await work
    done = True
    await watching
    return 1000 * longest


async def measure(name: str, corpus: Corpus, opened: Callable[[], Points]) -> None:
    """Fill, ask, close, open again."""
    before = psutil.Process().memory_info().rss
    store = opened()
    async with store:
        started = time.perf_counter()
        for first in range(0, corpus.chunks, BATCH):
            await store.upsert(corpus.points(first))
        filled = time.perf_counter() - started
        short = corpus.question(1, QUESTION_WORDS)
        await store.nearest(*short, MATCH, LIST)
        stood_still = await blocked_ms(store.nearest(*short, MATCH, LIST))
        asked = await timed(lambda: store.nearest(*corpus.question(1, QUESTION_WORDS), MATCH, LIST))
        paged = await timed(lambda: store.nearest(*corpus.question(PAGE_WINDOWS, PAGE_WORDS), MATCH, LIST), 20)
        taken = (psutil.Process().memory_info().rss - before) / 1e6
    started = time.perf_counter()
    again = opened()
    async with again:
        await again.nearest(*short, MATCH, LIST)
        reopened = time.perf_counter() - started
        later = await timed(lambda: again.nearest(*corpus.question(1, QUESTION_WORDS), MATCH, LIST))
    say(
        f"{name}, {corpus.chunks:,} chunks: filled in {filled:.1f} s; question p50 {statistics.median(asked):.1f} ms, "
        f"p99 {asked[int(0.99 * (len(asked) - 1))]:.1f} ms ({len(asked)} asked); a page p50 "
        f"{statistics.median(paged):.0f} ms; event loop blocked {stood_still:.0f} ms; {taken:+.0f} MB; "
        f"opened again in {reopened:.1f} s, then a question p50 {statistics.median(later):.1f} ms"
    )


async def main() -> None:
    """Print one line for each store and size."""
    # The local mode says at every index and every large collection what it is.
    warnings.filterwarnings("ignore", message=".*local")
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--only", choices=("edge", "local"))
    arguments = parser.parse_args()
    sizes = {DENSE: DIMENSIONS}
    for chunks in arguments.chunks:
        for name in ("edge", "local"):
            if arguments.only in (None, name):
                with tempfile.TemporaryDirectory() as folder:
                    await measure(name, Corpus(chunks), _opener(name, Path(folder, "index"), sizes))


def _opener(name: str, folder: Path, sizes: dict[str, int]) -> Callable[[], Points]:
    if name == "edge":
        return lambda: EdgePoints(folder, dimensions=lambda: sizes)
    return lambda: ServerPoints(AsyncQdrantClient(path=str(folder)), "bench", dimensions=lambda: sizes)


if __name__ == "__main__":
    asyncio.run(main())
