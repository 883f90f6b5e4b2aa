"""Measures what services/grounding/README.md quotes of the handbook: `python -m tests.bench.grounding.measure`."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from headrace.documents.conversion import Conversion
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.parsing import parse
from services.grounding.adapters.points import DENSE
from services.grounding.domain.citing import citable
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, Document, DocumentKey, Sizes, accept
from services.grounding.domain.follow_up import condensed
from services.grounding.domain.question import asked
from services.grounding.domain.ranking import Weights, rank
from services.grounding.handlers.documents import IndexKnowledge, Reading
from services.grounding.ports import Probe
from services.grounding.settings import Settings
from tests.bench.grounding.conversations import FOLLOW_UPS
from tests.bench.grounding.handbook import ANSWERED, UNANSWERED

CORPUS = Corpus("bench", "handbook")
SIZES = Sizes(10**6, 10**6)


def say(line: str) -> None:
    """Print a figure as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def timed(times: int, work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each call, sorted."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        await work()
        spent.append(1000 * (time.perf_counter() - start))
    return sorted(spent)


class Handbook:
    """`infra/knowledge`, indexed by the service's own code."""

    def __init__(self, folder: Path, embeddings: ModelEmbeddings) -> None:
        self._embeddings = embeddings
        self.knowledge = PointKnowledge(EdgePoints(folder, dimensions=lambda: {DENSE: embeddings.dimensions}))
        reading = Reading(Conversion(), parse, Settings().chunk_tokens, SIZES)
        self._index = IndexKnowledge(knowledge=self.knowledge, embeddings=embeddings, reading=reading)

    async def fill(self) -> int:
        """How many chunks there are."""
        chunks = 0
        for path in sorted((infra_dir() / "knowledge").glob("*.md")):
            key = DocumentKey(CORPUS, path.name)
            document = Document(key, "", path.name, "text/markdown", path.read_text("utf-8"))
            indexed = await self._index.read(accept(document, named=key, sizes=SIZES), "digest")
            await self.knowledge.replace(key, indexed, 1)
            chunks += len(indexed.chunks)
        return chunks

    async def ranked(self, question: str, weights: Weights) -> list[Passage]:
        """All that may answer, best first."""
        ask = asked(question)
        windows = await self._embeddings.question(ask.windows)
        return rank(await self.knowledge.candidates(CORPUS, Probe(windows, ask.words), weights), weights)

    async def found(self, questions: list[tuple[str, str]], weights: Weights) -> str:
        """In how many of the questions the document is the first, and among the first three passages."""
        first = third = 0
        for question, document in questions:
            best = [passage.document_id for passage in (await self.ranked(question, weights))[:3]]
            first, third = first + (best[0] == document), third + (document in best)
        return f"hit@1 {first}, hit@3 {third} of {len(questions)}"


async def main() -> None:
    """Print one line a figure."""
    say(f"started: {psutil.Process().memory_info().rss / 1e6:.0f} MB, torch imported: {'torch' in sys.modules}")
    spec = load_registry(infra_dir() / "models").get("all-minilm-l6-v2")
    with tempfile.TemporaryDirectory() as folder:
        embeddings = ModelEmbeddings(spec, threads=1)
        handbook = Handbook(Path(folder), embeddings)
        async with embeddings, handbook.knowledge:
            asked_ms = await timed(100, lambda: embeddings.question(["What happens when the index is down?"]))
            say(f"embedder: a question p50 {statistics.median(asked_ms):.1f} ms")
            say(f"handbook: {await handbook.fill()} chunks")
            for label, weights in (
                ("meaning alone", Weights(meaning=1, support=0)),
                ("words alone", Weights(meaning=0, support=0)),
                ("both", Weights()),
            ):
                say(f"handbook, {label}: {await handbook.found(list(ANSWERED.items()), weights)} questions")
            found_ms = await timed(50, lambda: handbook.ranked("What happens when the index is down?", Weights()))
            say(f"handbook: embed, search and rank p50 {statistics.median(found_ms):.1f} ms")
            await follow_ups(handbook)
            await covered(handbook)


async def follow_ups(handbook: Handbook) -> None:
    """Questions that lean on the one before, as they stand and with what they lean on."""
    bare = [(question, document) for _, question, document in FOLLOW_UPS]
    carried = [(condensed(question, [before]), document) for before, question, document in FOLLOW_UPS]
    say(f"follow-ups, as they stand: {await handbook.found(bare, Weights())}")
    say(f"follow-ups, with what they lean on: {await handbook.found(carried, Weights())}")


async def covered(handbook: Handbook) -> None:
    """What is cited at the minimum that is set, and how far from it the best scores lie."""
    best: dict[bool, list[float]] = {True: [], False: []}
    cited = {True: 0, False: 0}
    for answered, questions in ((True, list(ANSWERED)), (False, list(UNANSWERED))):
        for question in questions:
            passages = await handbook.ranked(question, Weights())
            best[answered].append(max(passage.score for passage in passages))
            cited[answered] += bool(
                citable(passages, asked(question).stems, min_score=Settings().min_score, limit=Settings().max_passages)
            )
    say(f"best cosine: answered {min(best[True]):.2f} at least, unanswered {max(best[False]):.2f} at most")
    say(f"cited: {cited[True]} of {len(ANSWERED)} answered, {cited[False]} of {len(UNANSWERED)} unanswered questions")


if __name__ == "__main__":
    asyncio.run(main())
