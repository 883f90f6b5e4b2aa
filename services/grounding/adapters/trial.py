"""What retrieval ranks first, on documents and questions of a file: `python -m services.grounding.adapters.trial`.

It is the service's own code on an index of its own, so that what is measured is what answers. `headrace eval retrieval`
starts it: a task as JSON on standard input, rankings as JSON on standard output, progress on standard error.
"""

import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from headrace.documents.conversion import Conversion
from headrace.messaging.errors import HeadraceError
from headrace.models.registry import Registry, load_registry
from headrace.runtime.paths import infra_dir
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.parsing import parse
from services.grounding.adapters.points import DENSE, STRONG, Payload
from services.grounding.adapters.records import CHUNK, of_corpus
from services.grounding.domain.chunking import Chunk, embedded_text
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, Document, DocumentKey, Sizes, accept
from services.grounding.domain.question import asked
from services.grounding.domain.ranking import Candidate, Weights, rank
from services.grounding.handlers.documents import IndexKnowledge, Reading
from services.grounding.ports import Probe
from services.grounding.settings import Settings

_CORPUS: Final = Corpus("trial", "trial")
# Documents of a ranking that are told.
_TOLD: Final = 20


class Trial:
    """An index in a folder; what is in it already, as it is, is not embedded again."""

    def __init__(self, folder: Path, settings: Settings, registry: Registry) -> None:
        threads = settings.embedding_threads
        self._embeddings = ModelEmbeddings(registry.get(settings.embedding_model), threads=threads)
        self._strong = (
            ModelEmbeddings(registry.get(settings.rescoring_model), threads=threads)
            if settings.rescoring_model
            else None
        )
        self._points = EdgePoints(folder, dimensions=self._dimensions)
        self._knowledge = PointKnowledge(self._points)
        self._index = IndexKnowledge(
            knowledge=self._knowledge,
            embeddings=self._embeddings,
            rescoring=self._strong,
            reading=Reading(Conversion(), parse, settings.chunk_tokens, Sizes(10**9, 10**9)),
        )

    async def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Index the documents, then rank them for each question."""
        weighings = [Weights(**each) for each in task["weights"]]
        async with self._embeddings, self._strong or nullcontext(), self._knowledge:
            for number, each in enumerate(task["documents"], start=1):
                await self._keep(each)
                _tell(f"indexed {number} of {len(task['documents'])}")
            answers = []
            for number, question in enumerate(task["questions"], start=1):
                answers.append(await self._rank(question, weighings))
                _tell(f"asked {number} of {len(task['questions'])}")
            passages = [_told(payload) for payload in await self._points.all(of_corpus(_CORPUS, CHUNK))]
        return {"rankings": answers, "passages": passages}

    def _dimensions(self) -> dict[str, int]:
        return {DENSE: self._embeddings.dimensions} | ({STRONG: self._strong.dimensions} if self._strong else {})

    async def _keep(self, said: dict[str, str]) -> None:
        key = DocumentKey(_CORPUS, said["id"])
        document = Document(key, said["title"], said["id"], "text/markdown", said["content"])
        accepted = accept(document, named=key, sizes=Sizes(10**9, 10**9))
        digest = self._index.digest(accepted)
        standing = await self._knowledge.standing(key)
        if standing.digest != digest:
            await self._knowledge.replace(key, await self._index.read(accepted, digest), standing.position + 1)

    async def _rank(self, question: str, weighings: Sequence[Weights]) -> dict[str, Any]:
        ask = asked(question)
        windows = await self._embeddings.question(ask.windows)
        strong = await self._strong.question(ask.windows) if self._strong else ()
        whole = await self._embeddings.question([question])
        found = await self._knowledge.candidates(_CORPUS, Probe(windows, ask.words, strong), Weights())
        meaning, words = Weights(meaning=1.0, support=0.0), Weights(meaning=0.0, support=0.0)
        bare = Probe(whole, ask.words)
        return {
            "meaning": _documents(rank(await self._knowledge.candidates(_CORPUS, bare, meaning), meaning)),
            "words": _documents(rank(await self._knowledge.candidates(_CORPUS, bare, words), words)),
            "windows": _documents(rank(_plain(found), meaning)),
            "fused": [_documents(rank(_plain(found), each)) for each in weighings],
            "strong": [_documents(rank(found, each)) for each in weighings] if strong else [],
        }


def _plain(found: Iterable[Candidate]) -> list[Candidate]:
    return [replace(each, strong=()) for each in found]


def _documents(passages: Iterable[Passage]) -> list[str]:
    """The documents in the order of their best passage."""
    return list(dict.fromkeys(passage.document_id for passage in passages))[:_TOLD]


def _told(payload: Payload) -> tuple[str, str]:
    """A passage's document, and the text of which its vector and its words were made."""
    piece = Chunk(payload["start"], payload["end"], payload["text"], tuple(payload["heading_path"]))
    return payload["document_id"], embedded_text(payload["title"], piece)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    """Do the task that stands on the input."""
    task = json.load(sys.stdin)
    settings = Settings(rescoring_model=task["rescoring"], embedding_threads=task["threads"])
    try:
        trial = Trial(Path(task["folder"]), settings, load_registry(infra_dir() / "models"))
        sys.stdout.write(json.dumps(asyncio.run(trial.run(task))))
    except HeadraceError as exc:
        _tell(f"error: {exc}")
        sys.exit(1)


if __name__ == "__main__":
    main()
