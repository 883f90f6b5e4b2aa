"""Documents: how they are named, which are accepted, when one has changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from headrace.messaging.errors import Invalid

ContentType = Literal["text/markdown", "text/plain"]

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
class Document:
    """A document as it was published."""

    key: DocumentKey
    title: str
    uri: str
    content_type: str
    content: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that can be indexed."""

    key: DocumentKey
    title: str
    uri: str
    content_type: ContentType
    content: str

    def digest(self, index_version: str) -> str:
        """Changes with all that shapes the index: the document, and how this version of the service cuts and embeds."""
        parts = (index_version, self.title, self.uri, self.content_type, self.content)
        # Lengths before the parts, so that no two lists of parts run together into the same bytes.
        framed = b"".join(len(part.encode()).to_bytes(8) + part.encode() for part in parts)
        return hashlib.sha256(framed).hexdigest()[:32]


def accept(document: Document, *, named: DocumentKey, max_bytes: int) -> Accepted:
    """The document, checked; `Invalid` names the field and the limit.

    `named` is its message key: a document under another's key could never be deleted by its own.
    """
    if document.key != named:
        raise Invalid(f"{_KEY_FORM}, equal to those fields of the document", code="bad_key", field="key")
    size = len(document.content.encode())
    if size > max_bytes:
        raise Invalid(f"content has {size} bytes, the limit is {max_bytes}", code="too_large", field="content")
    if not document.content.strip():
        raise Invalid("content is empty; publish a tombstone to delete a document", code="empty", field="content")
    media_type = document.content_type.partition(";")[0].strip().lower()
    known: Mapping[str, ContentType] = {name: name for name in get_args(ContentType)}
    if media_type not in known:
        raise Invalid(
            f"unknown content_type {media_type[:100]!r}: use one of {', '.join(sorted(known))}",
            code="unknown_content_type",
            field="content_type",
        )
    return Accepted(named, document.title, document.uri, known[media_type], document.content)
