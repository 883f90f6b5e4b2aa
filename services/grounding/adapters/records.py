"""What the points of a corpus are called, and what is in them."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from services.grounding.adapters.points import EDITION, Match, Payload
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.domain.entities import Entity

NAMESPACE: Final = uuid.UUID("6b0d5f57-6d0d-4bd4-9bd2-6a2f3c5f8d0e")
CHUNK: Final = "chunk"
DOCUMENT: Final = "document"
CORPUS: Final = "corpus"


def of_corpus(corpus: Corpus, kind: str) -> Match:
    """Selects all of one kind in a corpus."""
    return {"kind": kind, "tenant": corpus.tenant, "collection": corpus.collection}


def of_document(key: DocumentKey, kind: str) -> Match:
    """Selects what belongs to one document."""
    return {**of_corpus(key.corpus, kind), "document_id": key.document_id}


def point_id(kind: str, corpus: Corpus, *parts: str) -> str:
    """The same record has the same id in every process."""
    return str(uuid.uuid5(NAMESPACE, "\0".join((kind, corpus.tenant, corpus.collection, *parts))))


def edition_of(payload: Payload) -> tuple[str, int]:
    """Which document, and which writing of it."""
    return payload["document_id"], payload.get(EDITION, 0)


def passage_of(payload: Payload, score: float) -> Passage:
    """The passage that a chunk's point keeps."""
    return Passage(
        document_id=payload["document_id"],
        title=payload["title"],
        uri=payload["uri"],
        start=payload["start"],
        end=payload["end"],
        text=payload["text"],
        heading_path=tuple(payload["heading_path"]),
        score=score,
    )


def entity_payload(entity: Entity) -> Mapping[str, Any]:
    """An entity as its document's record keeps it."""
    return {"id": entity.id, "kind": entity.kind, "name": entity.name, "aliases": list(entity.aliases)}


def entities_of(payload: Payload) -> list[Entity]:
    """The entities that a document's record keeps."""
    return [
        Entity(kept["id"], kept["kind"], kept["name"], payload["document_id"], tuple(kept["aliases"]))
        for kept in payload.get("entities", ())
    ]
