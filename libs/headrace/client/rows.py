"""Rows of a JSONL file of texts, each good or bad by itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Row:
    """One text; `id` is the file's own, or its line number. Lines count from 1."""

    line: int
    id: str | int
    text: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no text, and why."""

    line: int
    id: str | int
    reason: str


def parse(lines: Iterable[bytes], *, text_field: str = "text") -> Iterator[Row | BadRow]:
    """Rows in the order of the file; blank lines are none."""
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix(b"\xef\xbb\xbf").strip()
        if line:
            yield _row(number, line, text_field)


def _row(number: int, line: bytes, text_field: str) -> Row | BadRow:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as exc:
        return BadRow(number, number, f"not UTF-8: byte {exc.start + 1} cannot be read")
    try:
        content: Any = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        return BadRow(number, number, f"no JSON: {exc.msg} (column {exc.colno})")
    if not isinstance(content, dict):
        return BadRow(number, number, f'no object: expected {{"{text_field}": "…"}}')
    given = content.get("id")
    own = given if isinstance(given, (str, int)) and not isinstance(given, bool) else number
    text = content.get(text_field)
    if not isinstance(text, str):
        return BadRow(number, own, f"no string under {text_field!r}: name another field with --text-field")
    if not text.strip():
        return BadRow(number, own, f"{text_field!r} is empty")
    return Row(number, own, text)
