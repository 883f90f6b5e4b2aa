"""The names that a document brings: its own, and the entries of a glossary."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.grounding.domain.chunking import Chunk
from services.grounding.domain.documents import Accepted
from services.grounding.domain.entities import Entity, entries, listed

_GLOSSARY: Final = "glossary"


def entities(document: Accepted, title: str, about: Mapping[str, str], chunks: Sequence[Chunk]) -> list[Entity]:
    """`about` is what the document says about itself; what its publisher says goes before it."""
    said = {**about, **document.metadata}
    document_id = document.key.document_id
    itself = Entity(document_id, "document", title, document_id, listed(said.get("aliases", "")))
    kind = said.get("kind", "").casefold() or _stem_of(document_id)
    if kind != _GLOSSARY:
        return [itself]
    sections: dict[str, str] = {}
    for chunk in chunks:
        if chunk.heading_path and chunk.heading_path != (title,):
            name = chunk.heading_path[-1]
            sections[name] = f"{sections[name]}\n{chunk.text}" if name in sections else chunk.text
    return [itself, *entries(document_id, sections)]


def _stem_of(document_id: str) -> str:
    return document_id.rpartition("/")[2].partition(".")[0].casefold()
