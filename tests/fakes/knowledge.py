"""Knowledge in memory: embeddings that count words, a store that can be taken down."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from headrace.messaging.errors import Retryable
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.domain.entities import Gazetteer
from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Candidate, Weights
from services.grounding.ports import Indexed, Probe, Standing, Vector


class _Entered:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


@dataclass
class WordEmbeddings(_Entered):
    """Texts with the same words have the same vector."""

    revision: str = "words@1"
    dimensions: int = 64
    embedded: list[str] = field(default_factory=list)

    def count(self, text: str) -> int:
        return len(text.split())

    async def question(self, windows: Sequence[str]) -> list[Vector]:
        return [self._vector(window) for window in windows]

    async def passages(self, texts: Sequence[str]) -> list[Vector]:
        self.embedded += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        counts = [0.0] * self.dimensions
        for word in text.lower().replace(".", " ").replace("?", " ").split():
            counts[zlib.crc32(word.encode()) % self.dimensions] += 1
        length = math.sqrt(sum(count * count for count in counts)) or 1.0
        return [count / length for count in counts]


@dataclass
class InMemoryKnowledge(_Entered):
    """Searches by comparing with everything."""

    down: bool = False
    documents: dict[DocumentKey, Indexed] = field(default_factory=dict)
    positions: dict[DocumentKey, int] = field(default_factory=dict)
    changes: int = 0
    searched: list[Corpus] = field(default_factory=list)

    async def candidates(self, corpus: Corpus, probe: Probe, weights: Weights) -> list[Candidate]:
        self._reach()
        self.searched.append(corpus)
        return [
            Candidate(
                Passage(
                    key.document_id, document.title, document.uri, chunk.start, chunk.end, chunk.text,
                    chunk.heading_path, score=max(_products(probe.windows, document.vectors[place])),
                ),
                cosines=_products(probe.windows, document.vectors[place]),
                lexical=_common(probe.words, document.words[place]),
                strong=_products(probe.strong, document.strong[place]) if probe.strong else (),
            )
            for key, document in self.documents.items()
            if key.corpus == corpus
            for place, chunk in enumerate(document.chunks)
        ]  # fmt: skip

    async def gazetteer(self, corpus: Corpus, version: str) -> Gazetteer:
        self._reach()
        return Gazetteer(
            entity for key, document in self.documents.items() if key.corpus == corpus for entity in document.entities
        )

    async def version(self, corpus: Corpus) -> str:
        self._reach()
        return f"{corpus.tenant}-{self.changes}"

    async def standing(self, key: DocumentKey) -> Standing:
        self._reach()
        digest = self.documents[key].digest if key in self.documents else None
        return Standing(self.positions.get(key, -1), digest)

    async def confirm(self, key: DocumentKey, position: int) -> bool:
        self._reach()
        return self._moves(key, position)

    async def replace(self, key: DocumentKey, document: Indexed, position: int) -> bool:
        self._reach()
        if not self._moves(key, position):
            return False
        self.documents[key] = document
        self.changes += 1
        return True

    async def remove(self, key: DocumentKey, position: int) -> bool:
        self._reach()
        if not self._moves(key, position):
            return False
        self.changes += 1
        return self.documents.pop(key, None) is not None

    def _moves(self, key: DocumentKey, position: int) -> bool:
        if self.positions.get(key, -1) > position:
            return False
        self.positions[key] = position
        return True

    async def check(self) -> None:
        self._reach()

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the index is down")


def _products(windows: Sequence[Vector], vector: Vector) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(window, vector, strict=True)) for window in windows)


def _common(question: Sparse, passage: Sparse) -> float:
    said = dict(zip(passage.places, passage.values, strict=True))
    return sum(value * said.get(place, 0.0) for place, value in zip(question.places, question.values, strict=True))


class WordTokens:
    """One token a word, three for each message."""

    def count(self, text: str) -> int:
        return len(text.split())

    def count_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        return sum(3 + self.count(content) for _, content in messages)


class WordTokenizers:
    """Every model counts words."""

    async def get(self, model: str) -> WordTokens:
        assert model
        return WordTokens()
