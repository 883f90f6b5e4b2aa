"""Formats that can become knowledge, by media type and by the ending of a file's name."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from headrace.messaging.errors import Invalid

# Their text is the document: it is cut where it stands.
TextType = Literal["text/markdown", "text/plain"]
# They become Markdown first.
ConvertedType = Literal[
    "text/html",
    "text/csv",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
]
ContentType = TextType | ConvertedType

TEXT_TYPES: Final[Mapping[str, TextType]] = {name: name for name in get_args(TextType)}
CONVERTED_TYPES: Final[Mapping[str, ConvertedType]] = {name: name for name in get_args(ConvertedType)}
_KNOWN: Final[Mapping[str, ContentType]] = {**TEXT_TYPES, **CONVERTED_TYPES}

BY_SUFFIX: Final[Mapping[str, ContentType]] = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
# What the text of one document may have: a Kafka message holds 1 MiB, this leaves room for the other fields.
MAX_TEXT_BYTES: Final = 1_000_000
# What may be read for that text: a PDF is mostly fonts and pictures.
MAX_FILE_BYTES: Final = 50_000_000


def content_type_of(media_type: str) -> ContentType:
    """The format that a media type names, its parameters aside; `Invalid` where nobody here reads it."""
    name = media_type.partition(";")[0].strip().lower()
    if name not in _KNOWN:
        raise Invalid(
            f"unknown content_type {name[:100]!r}: use one of {', '.join(sorted(_KNOWN))}",
            code="unknown_content_type",
            field="content_type",
        )
    return _KNOWN[name]
