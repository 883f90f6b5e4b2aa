"""Rows of a file, by the ending of its name."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from headrace.client.rows import comma_separated, json_lines, parquet
from headrace.client.rows.row import BadRow, Fields, Row
from headrace.messaging.errors import Invalid

Reader = Callable[[Path, Fields], Iterator[Row | BadRow]]

READERS: Final[Mapping[str, Reader]] = {
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
    ".csv": comma_separated.read,
    ".tsv": comma_separated.read,
    ".parquet": parquet.read,
}


def rows_of(path: Path, fields: Fields) -> Iterator[Row | BadRow]:
    """Every row, in order; call it again to read it again. `Invalid` for a kind of file that is not known."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"{path} has no known kind: its name must end in one of {', '.join(READERS)}")
    if path.exists() and not path.is_file():
        # It might have no end, or nobody who writes it; besides, it is read more than once.
        raise Invalid(f"{path} is no regular file: save it as one")
    return reader(path, fields)
