"""Documents over points: the order of writes that makes indexing safe to repeat and shows every change."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

from services.grounding.adapters.points import DENSE, EDITION, POSITION, STRONG, Point, Points
from services.grounding.adapters.records import (
    CHUNK,
    CORPUS,
    DOCUMENT,
    NAMESPACE,
    entity_payload,
    of_corpus,
    of_document,
    point_id,
)
from services.grounding.adapters.searching import Gazetteers, candidates
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.domain.entities import Gazetteer
from services.grounding.domain.ranking import Candidate, Weights
from services.grounding.ports import Indexed, Probe, Standing

_UPSERT_BATCH: Final = 128
# The edition of a document that is gone.
_NONE: Final = -1
# Before the first document.
EMPTY_VERSION: Final = "empty"


@dataclass(frozen=True, slots=True)
class _Record:
    """What is kept of a document beside its chunks."""

    # Of the last log record that was applied.
    position: int
    # The chunks that are shown: those that this log record has written; of a document that is gone, none.
    edition: int
    digest: str
    # Whether the corpus has a version for this state: until then the change is not complete.
    told: bool
    # The names by which questions may call the document and what is in it.
    entities: Sequence[Mapping[str, Any]] = ()


class PointKnowledge:
    """Chunks, one record per document, one per corpus.

    Chunks of a new edition are written beside those that are shown, then the document's record is moved over to them
    in one step, by comparing positions. Whoever is late, or stopped in the middle, leaves chunks that nobody sees. The
    record is complete only when the corpus has its new version: who died before is followed by one who does all again.
    """

    def __init__(self, points: Points) -> None:
        self._points = points
        # The version is read, changed and written; documents are indexed side by side.
        self._versioning = asyncio.Lock()
        self._gazetteers = Gazetteers(points)

    async def __aenter__(self) -> Self:
        await self._points.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._points.__aexit__(exc_type, exc, traceback)

    async def candidates(self, corpus: Corpus, probe: Probe, weights: Weights) -> list[Candidate]:
        """The passages of this corpus, and of no other, that may answer."""
        return await candidates(self._points, corpus, probe, weights)

    async def gazetteer(self, corpus: Corpus, version: str) -> Gazetteer:
        """The names that this corpus knows."""
        return await self._gazetteers.of(corpus, version)

    async def version(self, corpus: Corpus) -> str:
        """A chain over all changes: no two states of a corpus share a version."""
        records = await self._points.get(point_id(CORPUS, corpus))
        return str(records[0]["version"]) if records else EMPTY_VERSION

    async def standing(self, key: DocumentKey) -> Standing:
        """What was applied last."""
        record = await self._record(key)
        if record is None:
            return Standing()
        return Standing(record.position, record.digest if record.told and record.digest else None)

    async def confirm(self, key: DocumentKey, position: int) -> bool:
        """The same chunks, now by a later record."""
        record = await self._record(key)
        if record is None or record.position > position:
            return False
        return await self._exchange(key, replace(record, position=position), record.position)

    async def replace(self, key: DocumentKey, document: Indexed, position: int) -> bool:
        """New chunks beside the old, the record over to them, the version on, the old ones away."""
        points = _chunk_points(key, document, position)
        for first in range(0, len(points), _UPSERT_BATCH):
            await self._points.upsert(points[first : first + _UPSERT_BATCH])
        entities = [entity_payload(entity) for entity in document.entities]
        if not await self._apply(key, _Record(position, position, document.digest, told=False, entities=entities)):
            await self._points.delete(of_document(key, CHUNK), edition=position)
            return False
        await self._points.delete(of_document(key, CHUNK), below=position)
        return True

    async def remove(self, key: DocumentKey, position: int) -> bool:
        """The record over to no chunks at all; it stays, so that a late writing finds that it is late."""
        before = await self._record(key)
        nothing = before is None or (before.edition == _NONE and before.told)
        applied = await self._apply(key, _Record(position, _NONE, "", told=nothing))
        if applied:
            await self._points.delete(of_document(key, CHUNK), below=position + 1)
        return applied and not nothing

    async def check(self) -> None:
        """Return if the store answers."""
        await self._points.get(str(NAMESPACE))

    async def _apply(self, key: DocumentKey, record: _Record) -> bool:
        """Move the document over, and tell the corpus; False where a later record was applied."""
        while True:
            before = await self._record(key)
            if before is not None and before.position > record.position:
                return False
            if await self._exchange(key, record, None if before is None else before.position):
                break
        if not record.told:
            await self._advance(key, f"{record.position} {record.digest}")
            # Overtaken just now? Then the later one tells the corpus of itself.
            await self._exchange(key, replace(record, told=True), record.position)
        return True

    async def _record(self, key: DocumentKey) -> _Record | None:
        found = await self._points.get(point_id(DOCUMENT, key.corpus, key.document_id))
        if not found:
            return None
        payload = found[0]
        return _Record(
            payload.get(POSITION, 0),
            payload.get(EDITION, 0),
            str(payload["digest"]),
            told=payload.get("told", True),
            entities=payload.get("entities", ()),
        )

    async def _exchange(self, key: DocumentKey, record: _Record, expected: int | None) -> bool:
        payload = {**of_document(key, DOCUMENT), **asdict(record)}
        return await self._points.exchange(Point(point_id(DOCUMENT, key.corpus, key.document_id), payload), expected)

    async def _advance(self, key: DocumentKey, change: str) -> None:
        async with self._versioning:
            before = await self.version(key.corpus)
            version = hashlib.sha256(f"{before}\0{key.document_id}\0{change}".encode()).hexdigest()[:16]
            record = {**of_corpus(key.corpus, CORPUS), "version": version}
            await self._points.upsert([Point(point_id(CORPUS, key.corpus), record)])


def _chunk_points(key: DocumentKey, document: Indexed, edition: int) -> list[Point]:
    shared: Mapping[str, Any] = {
        **of_document(key, CHUNK),
        EDITION: edition,
        "title": document.title,
        "uri": document.uri,
    }
    return [
        Point(
            point_id(CHUNK, key.corpus, key.document_id, str(edition), str(ordinal)),
            {
                **shared,
                "start": chunk.start,
                "end": chunk.end,
                "text": chunk.text,
                "heading_path": list(chunk.heading_path),
            },
            {DENSE: document.vectors[ordinal]} | ({STRONG: document.strong[ordinal]} if document.strong else {}),
            document.words[ordinal],
        )
        for ordinal, chunk in enumerate(document.chunks)
    ]
