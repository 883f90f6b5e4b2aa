"""Rows of a CSV file whose first row names the columns, whatever it is that separates them."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headrace.client.rows.lines import MAX_LINE_BYTES, lines_of
from headrace.client.rows.row import BadRow, Fields, Row, row_of
from headrace.messaging.errors import Invalid

_SEPARATORS: Final = ",;\t|"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def read(path: Path, fields: Fields) -> Iterator[Row | BadRow]:
    """Rows in the order of the file; `Invalid` where its first row has no such column."""
    # A quotation mark that nobody closes takes in the rest of the file, up to here.
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open("rb") as file:
        if file.read(2) in _UTF_16:
            raise Invalid(f"{path} is UTF-16: save it as UTF-8")
        file.seek(0)
        lines = _Lines(lines_of(file))
        first = next(lines, "")
        columns, separator = _header(path, first, fields)
        yield from _rows(lines, separator, columns, fields)


class _Lines:
    """Lines as text. Bytes that are no UTF-8 stay recognisable, so that only their row is a bad one."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.cut = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if len(line) > MAX_LINE_BYTES:
            # What is left of it may begin a quotation that it does not end.
            self.cut = True
            return "\n"
        return line.decode("utf-8", "surrogateescape")


def _header(path: Path, line: str, fields: Fields) -> tuple[list[str], str]:
    read = {separator: next(csv.reader([line], delimiter=separator), []) for separator in _SEPARATORS}
    for separator, columns in read.items():
        if fields.text in (names := [column.strip() for column in columns]):
            return names, separator
    likely = max(read.values(), key=len)
    if any("\udc80" <= character <= "\udcff" or character == "\0" for character in line):
        raise Invalid(f"{path} is no text: is it compressed, or another kind of file?")
    if not any(likely):
        raise Invalid(f"{path} is empty: its first row must name the columns")
    named = ", ".join(repr(column.strip()[:40]) for column in likely[:20])
    raise Invalid(f"{path} has no column {fields.text!r}, it has {named}: name one with --text-field")


def _rows(lines: _Lines, separator: str, columns: list[str], fields: Fields) -> Iterator[Row | BadRow]:
    rows = csv.reader(lines, delimiter=separator)
    while True:
        # The row begins behind what was read; the header was the first line.
        line = rows.line_num + 2
        lines.cut = False
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as exc:
            yield BadRow(line, line, f"no row of CSV ({exc}): is a quotation mark not closed?")
            continue
        if lines.cut:
            yield BadRow(line, line, f"longer than {MAX_LINE_BYTES >> 20} MiB: is a quotation mark not closed?")
        elif cells:
            yield _row(line, cells, columns, fields)


def _row(line: int, cells: list[str], columns: list[str], fields: Fields) -> Row | BadRow:
    if len(cells) != len(columns):
        return BadRow(line, line, f"{len(cells)} columns where the first row names {len(columns)}")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return BadRow(line, line, "not UTF-8: save the file as UTF-8")
    return row_of(line, dict(zip(columns, cells, strict=True)), fields)
