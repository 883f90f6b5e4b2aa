"""Files of knowledge: which of a folder are documents, and what keeps one from being read."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A Kafka message holds 1 MiB; this leaves room for the other fields.
MAX_BYTES: Final = 1_000_000
CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".text": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Readable:
    """A document, ready to be published."""

    path: Path
    document_id: str
    content_type: str
    content: str
    modified_s: float


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that gave no document, and why; its document, if it had one before, is left as it is."""

    path: Path
    document_id: str
    reason: str


def read_all(paths: Iterable[Path]) -> Iterator[Readable | Unreadable]:
    """Read files and whole folders. A document's id is its path within the folder that was given, or its name."""
    taken: dict[str, Path] = {}
    for given in paths:
        found = False
        for path, document_id in _documents(given):
            found = True
            if document_id in taken:
                yield Unreadable(
                    path, document_id, f"its id {document_id} is that of {taken[document_id]} too: rename one"
                )
                continue
            taken[document_id] = path
            yield _read(path, document_id)
        if not found:
            yield Unreadable(given, "", f"no document in it (looked for {', '.join(CONTENT_TYPES)})")


def _documents(given: Path) -> Iterator[tuple[Path, str]]:
    if not given.is_dir():
        yield given, given.name
        return
    for folder, folders, names in os.walk(given):
        # What is hidden is a tool's, not a reader's.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() in CONTENT_TYPES and not name.startswith("."):
                yield path, path.relative_to(given).as_posix()


class _NotADocument(Exception):  # noqa: N818 - reads as the sentence it is
    """Says in a person's words what keeps a file from being one."""


def _read(path: Path, document_id: str) -> Readable | Unreadable:
    try:
        content = _content(path)
        modified_s = path.stat().st_mtime
    except _NotADocument as exc:
        return Unreadable(path, document_id, str(exc))
    except OSError as exc:
        return Unreadable(path, document_id, exc.strerror or type(exc).__name__)
    return Readable(path, document_id, CONTENT_TYPES[path.suffix.lower()], content, modified_s)


def _content(path: Path) -> str:
    size = path.stat().st_size
    if path.suffix.lower() not in CONTENT_TYPES:
        raise _NotADocument(f"neither Markdown nor text ({', '.join(CONTENT_TYPES)})")
    if size > MAX_BYTES:
        raise _NotADocument(f"{size} bytes, the limit is {MAX_BYTES}: split it")
    try:
        # A byte order mark is the editor's, not the document's.
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _NotADocument(f"not UTF-8: byte {exc.start} cannot be read; save it as UTF-8") from exc
    if not content.strip():
        raise _NotADocument("empty")
    return content
