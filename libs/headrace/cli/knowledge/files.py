"""Files of knowledge: which of what was given are documents, and what keeps one from being read."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from headrace.documents.formats import BY_SUFFIX, MAX_FILE_BYTES, MAX_TEXT_BYTES, TEXT_TYPES, ContentType


@dataclass(frozen=True, slots=True)
class Found:
    """A document that is to be read: a file, or an address in the web."""

    place: str
    document_id: str

    @property
    def is_url(self) -> bool:
        """Whether it is to be fetched."""
        return _is_url(self.place)


@dataclass(frozen=True, slots=True)
class Readable:
    """A document as it was saved."""

    place: str
    document_id: str
    content_type: ContentType
    data: bytes
    modified_s: float


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What gave no document, and why; its document, if it had one before, is left as it is."""

    place: str
    document_id: str
    reason: str


def find_all(given: Iterable[str]) -> Iterator[Found | Unreadable]:
    """Files, whole folders, patterns such as `docs/**/*.md`, and addresses.

    A document's id is its path within the folder that was given (of a pattern: within what stands before its first
    wildcard), the name of a single file, or host and path of an address.
    """
    taken: dict[str, str] = {}
    for each in given:
        if reason := _no_address(each):
            yield Unreadable(each, "", reason)
            continue
        found = False
        for place, document_id in _documents(each):
            found = True
            if not _is_text(document_id):
                yield Unreadable(place, "", "its name is no UTF-8: rename it")
                continue
            if document_id in taken:
                yield Unreadable(
                    place, document_id, f"its id {document_id} is that of {taken[document_id]} too: rename one"
                )
                continue
            taken[document_id] = place
            yield Found(place, document_id)
        if not found:
            yield Unreadable(each, "", f"no document in it (looked for {', '.join(BY_SUFFIX)})")


def read(found: Found) -> Readable | Unreadable:
    """Read a file; whether a document that is no text can be made into one is seen later."""
    path = Path(found.place)
    try:
        content_type = BY_SUFFIX.get(path.suffix.lower())
        status = path.stat()
        if content_type is None:
            return Unreadable(found.place, found.document_id, f"no document by its ending ({', '.join(BY_SUFFIX)})")
        if not stat.S_ISREG(status.st_mode):
            # It might have no end, or nobody who writes it.
            return Unreadable(found.place, found.document_id, "no regular file: save it as one")
        if status.st_size > MAX_FILE_BYTES:
            return Unreadable(found.place, found.document_id, too_large(status.st_size, MAX_FILE_BYTES))
        data = path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        return Unreadable(found.place, found.document_id, f"{reason}: check the path")
    return checked(Readable(found.place, found.document_id, content_type, data, status.st_mtime))


def checked(document: Readable) -> Readable | Unreadable:
    """A text must be one, and have something in it."""
    reason = ""
    if not document.data.strip():
        reason = "empty"
    elif document.content_type in TEXT_TYPES:
        reason = _text_reason(document.data)
    return Unreadable(document.place, document.document_id, reason) if reason else document


def printable(place: str) -> str:
    """A name as it may stand in a terminal: what would steer it is written out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in place
    )


def too_large(size: int, limit: int) -> str:
    """What is wrong with a document of this size."""
    return f"{size} bytes, the limit is {limit}: split it"


def _text_reason(data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        return too_large(len(data), MAX_TEXT_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        return f"not UTF-8: byte {exc.start} cannot be read; save it as UTF-8"
    return "" if text.strip() else "empty"


def _documents(given: str) -> Iterator[tuple[str, str]]:
    path = Path(given)
    if _is_url(given):
        yield given, _id_of(given)
    elif path.is_dir():
        yield from ((str(each), each.relative_to(path).as_posix()) for each in _within(path))
    elif glob.has_magic(given) and not path.exists():
        root = _before_wildcard(given)
        for name in sorted(glob.glob(given, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
            each = Path(name)
            if each.is_file() and each.suffix.lower() in BY_SUFFIX:
                yield name, each.relative_to(root).as_posix()
    else:
        yield given, path.name


def _within(folder: Path) -> Iterator[Path]:
    for within, folders, names in os.walk(folder):
        # What is hidden is a tool's, not a reader's.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(within, name)
            if path.suffix.lower() in BY_SUFFIX and not name.startswith("."):
                yield path


def _before_wildcard(pattern: str) -> Path:
    parts = Path(pattern).parts
    plain = [part for place, part in enumerate(parts) if not any(map(glob.has_magic, parts[: place + 1]))]
    return Path(*plain)


def _no_address(given: str) -> str:
    """What is wrong with it as an address, if it looks like one."""
    try:
        parts = urlsplit(given)
    except ValueError as exc:
        return f"no address ({exc}): correct it"
    if "://" in given and not _is_url(given):
        return f"{parts.scheme} is not fetched: use an address of http or https, or a path"
    return ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_url(given: str) -> bool:
    return given.startswith(("http://", "https://"))


_INDEX: Final = "index.html"


def _id_of(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path).strip("/") or _INDEX
    return f"{parts.netloc.rpartition('@')[2]}/{path}" + (f"?{parts.query}" if parts.query else "")
