"""Measures what services/grounding/README.md quotes: `python -m tests.bench.grounding.measure`."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import psutil
from qdrant_client import AsyncQdrantClient

from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.parsing import parse
from services.grounding.adapters.points import Point, Points
from services.grounding.adapters.server import ServerPoints
from services.grounding.domain.chunking import chunk, embedded_text
from services.grounding.settings import Settings
from tests.bench.grounding.handbook import ANSWERED, UNANSWERED

CHUNKS = 5_000
TENANTS = 4
DIMENSIONS = 384


def say(line: str) -> None:
    """Print a figure as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def timed(times: int, work: Callable[[int], Awaitable[object]]) -> list[float]:
    """Milliseconds of each call, sorted."""
    spent = []
    for number in range(times):
        start = time.perf_counter()
        await work(number)
        spent.append(1000 * (time.perf_counter() - start))
    return sorted(spent)


def resident_mb() -> float:
    """Resident memory of this process."""
    return float(psutil.Process().memory_info().rss / 1e6)


async def measure_store(name: str, store: Points) -> None:
    """Fill with 5,000 chunks, eight at a time, and search one tenant's quarter of them."""
    vectors = np.random.default_rng(1).normal(size=(CHUNKS, DIMENSIONS))
    points = [
        Point(
            f"00000000-0000-0000-0000-{number:012d}",
            {"kind": "chunk", "tenant": f"t{number % TENANTS}", "collection": "c", "text": "x" * 700},
            vectors[number].tolist(),
        )
        for number in range(CHUNKS)
    ]
    before = resident_mb()
    async with store:
        filled = await timed(CHUNKS // 8, lambda number: store.upsert(points[8 * number : 8 * number + 8]))
        match = {"kind": "chunk", "tenant": "t1", "collection": "c"}
        searched = await timed(200, lambda number: store.nearest(vectors[number].tolist(), match, 3))
        say(
            f"{name}: fill {sum(filled) / 1000:.1f} s, search p50 {statistics.median(searched):.1f} ms, "
            f"p99 {searched[197]:.1f} ms, {resident_mb() - before:+.0f} MB"
        )


async def measure_embeddings() -> None:
    """Load, speed, and whether the handbook's questions find their documents."""
    before = resident_mb()
    start = time.perf_counter()
    async with ModelEmbeddings(load_registry(infra_dir() / "models").get("all-minilm-l6-v2"), threads=1) as embeddings:
        say(f"embedder: loaded in {time.perf_counter() - start:.1f} s, {resident_mb() - before:+.0f} MB")
        asked = await timed(100, lambda _: embeddings.question("What happens when the index is down?"))
        documents, texts = await handbook(embeddings)
        start = time.perf_counter()
        index = np.array(await embeddings.passages(texts))
        passage_ms = 1000 * (time.perf_counter() - start) / len(texts)
        say(f"embedder: question p50 {statistics.median(asked):.1f} ms, passage {passage_ms:.1f} ms in batches")
        first = third = 0
        good = []
        for question, document in ANSWERED.items():
            scores = index @ np.array(await embeddings.question(question))
            best = [documents[position] for position in np.argsort(-scores)[:3]]
            first, third = first + (best[0] == document), third + (document in best)
            good.append(float(scores.max()))
        bad = [float((index @ np.array(await embeddings.question(question))).max()) for question in UNANSWERED]
        say(f"handbook: {len(texts)} chunks, hit@1 {first}, hit@3 {third} of {len(ANSWERED)} questions")
        say(f"best score: answered {min(good):.2f} at least, unanswered {max(bad):.2f} at most")


async def handbook(embeddings: ModelEmbeddings) -> tuple[list[str], list[str]]:
    """The chunks of `infra/knowledge`: each one's document, and what is embedded of it."""
    documents, texts = [], []
    for path in sorted((infra_dir() / "knowledge").glob("*.md")):
        content = path.read_text(encoding="utf-8")
        outline = parse("text/markdown", content)
        for piece in chunk(content, outline.blocks, max_tokens=Settings().chunk_tokens, count=embeddings.count):
            documents.append(path.name)
            texts.append(embedded_text(outline.title, piece))
    return documents, texts


async def main() -> None:
    """Print one line a figure."""
    say(f"started: {resident_mb():.0f} MB, torch imported: {'torch' in sys.modules}")
    await measure_embeddings()
    with tempfile.TemporaryDirectory() as folder:
        await measure_store("embedded", EdgePoints(Path(folder, "edge"), dimensions=lambda: DIMENSIONS))
        client = AsyncQdrantClient(path=str(Path(folder, "local")))
        await measure_store("client's local mode", ServerPoints(client, "bench", dimensions=lambda: DIMENSIONS))


if __name__ == "__main__":
    asyncio.run(main())
