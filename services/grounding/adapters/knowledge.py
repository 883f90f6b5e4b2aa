"""Documents over points: the order of writes that makes indexing safe to repeat and shows every change."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from services.grounding.adapters.points import Match, Near, Payload, Point, Points
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.ports import Indexed, Vector

_NAMESPACE: Final = uuid.UUID("6b0d5f57-6d0d-4bd4-9bd2-6a2f3c5f8d0e")
_CHUNK: Final = "chunk"
_DOCUMENT: Final = "document"
_CORPUS: Final = "corpus"
_UPSERT_BATCH: Final = 128
# Before the first document.
_EMPTY_VERSION: Final = "empty"


class PointKnowledge:
    """Chunks, one record per document, one per corpus.

    A document's record is written last. Until then its digest is the old one, so that whoever died half-way is
    followed by somebody who does all of it again.
    """

    def __init__(self, points: Points) -> None:
        self._points = points
        # The version is read, changed and written; documents are indexed side by side.
        self._versioning = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._points.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._points.__aexit__(exc_type, exc, traceback)

    async def search(self, corpus: Corpus, vector: Vector, limit: int) -> list[Passage]:
        """The nearest passages of this corpus and of no other."""
        found = await self._points.nearest(vector, {"kind": _CHUNK, **_of(corpus)}, limit)
        return [_passage(near) for near in found]

    async def version(self, corpus: Corpus) -> str:
        """A chain over all changes: no two states of a corpus share a version."""
        record = await self._points.get(_id(_CORPUS, corpus))
        return str(record["version"]) if record else _EMPTY_VERSION

    async def digest(self, key: DocumentKey) -> str | None:
        """Digest of the document as it is indexed."""
        record = await self._points.get(_id(_DOCUMENT, key.corpus, key.document_id))
        return str(record["digest"]) if record else None

    async def replace(self, key: DocumentKey, document: Indexed) -> None:
        """New chunks over the old, what is left of the old away, the version on, the record last."""
        points = _chunk_points(key, document)
        for first in range(0, len(points), _UPSERT_BATCH):
            await self._points.upsert(points[first : first + _UPSERT_BATCH])
        await self._points.delete({"kind": _CHUNK, **_named(key)}, but={"digest": document.digest})
        await self._advance(key, document.digest)
        record = {"kind": _DOCUMENT, **_named(key), "digest": document.digest, "chunks": len(points)}
        await self._points.upsert([Point(_id(_DOCUMENT, key.corpus, key.document_id), record)])

    async def remove(self, key: DocumentKey) -> bool:
        """Chunks away, the version on, the record last."""
        if await self.digest(key) is None:
            # A first indexing may have died before its record was written.
            await self._points.delete({"kind": _CHUNK, **_named(key)}, but={})
            return False
        await self._points.delete({"kind": _CHUNK, **_named(key)}, but={})
        await self._advance(key, "removed")
        await self._points.delete({"kind": _DOCUMENT, **_named(key)}, but={})
        return True

    async def check(self) -> None:
        """Return if the store answers."""
        await self._points.get(str(_NAMESPACE))

    async def _advance(self, key: DocumentKey, change: str) -> None:
        async with self._versioning:
            before = await self.version(key.corpus)
            version = hashlib.sha256(f"{before}\0{key.document_id}\0{change}".encode()).hexdigest()[:16]
            record = {"kind": _CORPUS, **_of(key.corpus), "version": version}
            await self._points.upsert([Point(_id(_CORPUS, key.corpus), record)])


def _chunk_points(key: DocumentKey, document: Indexed) -> list[Point]:
    shared: Mapping[str, Any] = {
        "kind": _CHUNK,
        **_named(key),
        "digest": document.digest,
        "title": document.title,
        "uri": document.uri,
    }
    return [
        Point(
            _id(_CHUNK, key.corpus, key.document_id, str(ordinal)),
            {
                **shared,
                "start": chunk.start,
                "end": chunk.end,
                "text": chunk.text,
                "heading_path": list(chunk.heading_path),
            },
            vector,
        )
        for ordinal, (chunk, vector) in enumerate(zip(document.chunks, document.vectors, strict=True))
    ]


def _passage(near: Near) -> Passage:
    payload: Payload = near.payload
    return Passage(
        document_id=payload["document_id"],
        title=payload["title"],
        uri=payload["uri"],
        start=payload["start"],
        end=payload["end"],
        text=payload["text"],
        heading_path=tuple(payload["heading_path"]),
        score=near.score,
    )


def _of(corpus: Corpus) -> Match:
    return {"tenant": corpus.tenant, "collection": corpus.collection}


def _named(key: DocumentKey) -> Match:
    return {**_of(key.corpus), "document_id": key.document_id}


def _id(kind: str, corpus: Corpus, *parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\0".join((kind, corpus.tenant, corpus.collection, *parts))))
