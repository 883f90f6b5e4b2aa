"""Documents: how they are named, which are accepted, when one has changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.documents.formats import TEXT_TYPES, ContentType, content_type_of
from headrace.messaging.errors import Invalid

_MAX_ID_CHARACTERS: Final = 512
_KEY_FORM: Final = "the message key must be tenant/collection/document_id"


@dataclass(frozen=True, slots=True)
class Corpus:
    """What one search may see: one collection of one tenant."""

    tenant: str
    collection: str


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Names a document. The id may hold slashes, tenant and collection may not."""

    corpus: Corpus
    document_id: str

    @classmethod
    def parse(cls, key: str) -> "DocumentKey":
        """Read a message key; `Invalid` where a part is missing."""
        parts = key.split("/", 2)
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - tenant, collection, document_id
            raise Invalid(f"{_KEY_FORM}, none of them empty", code="bad_key", field="key")
        tenant, collection, document_id = parts
        if len(document_id) > _MAX_ID_CHARACTERS:
            raise Invalid(
                f"document_id has {len(document_id)} characters, the limit is {_MAX_ID_CHARACTERS}",
                code="too_long",
                field="document_id",
            )
        return cls(Corpus(tenant, collection), document_id)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a document may have, in bytes."""

    text: int
    # As it was saved, where it is no text.
    data: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was published: `content` where it is text, `data` where it is not."""

    key: DocumentKey
    title: str
    uri: str
    content_type: str
    content: str
    data: bytes = b""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that can be indexed."""

    key: DocumentKey
    title: str
    uri: str
    content_type: ContentType
    data: bytes
    metadata: Mapping[str, str]

    def digest(self, index_version: str) -> str:
        """Changes with all that shapes the index: the document, and how this version of the service cuts and embeds."""
        texts = (index_version, self.title, self.uri, self.content_type, *_flat(self.metadata))
        parts = (*(text.encode() for text in texts), self.data)
        # Lengths before the parts, so that no two lists of parts run together into the same bytes.
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.sha256(framed).hexdigest()[:32]


def accept(document: Document, *, named: DocumentKey, sizes: Sizes) -> Accepted:
    """The document, checked; `Invalid` names the field and the limit.

    `named` is its message key: a document under another's key could never be deleted by its own.
    """
    if document.key != named:
        raise Invalid(f"{_KEY_FORM}, equal to those fields of the document", code="bad_key", field="key")
    content_type = content_type_of(document.content_type)
    if document.content and document.data:
        raise Invalid("content and data are both there: a document is one of them", code="ambiguous", field="data")
    field_name, data = ("data", document.data) if document.data else ("content", document.content.encode())
    limit = sizes.data if document.data else sizes.text
    if len(data) > limit:
        raise Invalid(f"{field_name} has {len(data)} bytes, the limit is {limit}", code="too_large", field=field_name)
    if not data.strip():
        raise Invalid("content is empty; publish a tombstone to delete a document", code="empty", field="content")
    if content_type in TEXT_TYPES:
        _decoded(data, field_name)
    return Accepted(named, document.title, document.uri, content_type, data, document.metadata)


def _decoded(data: bytes, field_name: str) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        raise Invalid(f"not UTF-8: byte {exc.start} cannot be read", code="not_utf8", field=field_name) from exc


def _flat(metadata: Mapping[str, str]) -> list[str]:
    return [text for name in sorted(metadata) for text in (name, metadata[name])]
