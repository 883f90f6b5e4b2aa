"""Rows of a JSONL file: an object a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from headrace.client.rows.lines import MAX_LINE_BYTES, lines_of
from headrace.client.rows.row import BadRow, Fields, Row, row_of


def read(path: Path, fields: Fields) -> Iterator[Row | BadRow]:
    """Rows in the order of the file; blank lines are none."""
    with path.open("rb") as file:
        yield from parse(lines_of(file), fields)


def parse(lines: Iterable[bytes], fields: Fields) -> Iterator[Row | BadRow]:
    """Rows of lines that are read already."""
    for number, raw in enumerate(lines, start=1):
        if line := raw.strip():
            yield _row(number, line, fields)


def _row(number: int, line: bytes, fields: Fields) -> Row | BadRow:
    if len(line) > MAX_LINE_BYTES:
        return BadRow(number, number, f"longer than {MAX_LINE_BYTES >> 20} MiB: is a line break missing?")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as exc:
        return BadRow(number, number, f"not UTF-8: byte {exc.start + 1} cannot be read")
    try:
        content: Any = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        return BadRow(number, number, f"no JSON: {exc.msg} (column {exc.colno})")
    if not isinstance(content, dict):
        return BadRow(number, number, f'no object: expected {{"{fields.text}": "…"}}')
    return row_of(number, content, fields)
