"""CSV: a section for each row, under its name, each cell beside the name of its column."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from headrace.documents.converted import Converted
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid

_DELIMITERS: Final = ",;\t|"
_SAMPLE_CHARACTERS: Final = 16_384
_MAX_CELL_CHARACTERS: Final = 200_000
# Columns that name a row, the likeliest first; without one of them the first column does.
_NAMING: Final = ("title", "term", "name", "question", "subject", "id")


def read(data: bytes, limits: Limits) -> Converted:
    """The rows, in order; the first is the names of the columns."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Invalid(
            f"not UTF-8: byte {exc.start} cannot be read; save it as UTF-8", code="not_utf8", field="content"
        ) from exc
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    rows = _rows(text)
    columns = [" ".join(cell.split()) for cell in next(rows, [])]
    if not any(columns):
        raise Invalid("its first line must name the columns", code="no_columns", field="content")
    naming = _naming(columns)
    sections: list[str] = []
    for row in rows:
        if len(sections) == limits.rows:
            raise Invalid(f"it has more than {limits.rows} rows: split it", code="too_large", field="content")
        if section := _section(columns, row, naming):
            sections.append(section)
    if not sections:
        raise Invalid("there is no row under the names of its columns", code="empty", field="content")
    return Converted("", "\n\n".join(sections))


def _rows(text: str) -> Iterator[Sequence[str]]:
    sample = text[:_SAMPLE_CHARACTERS]
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(sample, _DELIMITERS)
    except csv.Error:
        dialect = csv.excel  # one column, or too irregular to tell
    reader = csv.reader(io.StringIO(text, newline=""), dialect)
    try:
        yield from (row for row in reader if any(cell.strip() for cell in row))
    except csv.Error as exc:
        raise Invalid(f"line {reader.line_num}: {exc}", code="unreadable", field="content") from exc


def _naming(columns: Sequence[str]) -> int:
    lowered = [column.casefold() for column in columns]
    return next((lowered.index(name) for name in _NAMING if name in lowered), 0)


def _section(columns: Sequence[str], row: Sequence[str], naming: int) -> str:
    cells = [" ".join(cell.split()) for cell in row]
    name = cells[naming] if naming < len(cells) else ""
    named = (
        (column or f"column {number}", cell)
        for number, (column, cell) in enumerate(zip_longest(columns, cells, fillvalue=""), start=1)
    )
    lines = [f"{column}: {cell}" for column, cell in named if cell]
    # Two spaces keep the line break of Markdown.
    return f"## {name or 'Row'}\n\n" + "  \n".join(lines)
