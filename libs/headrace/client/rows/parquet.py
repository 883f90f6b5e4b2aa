"""Rows of a Parquet file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headrace.client.rows.row import BadRow, Fields, Row, row_of
from headrace.messaging.errors import Invalid

_ROWS_AT_ONCE: Final = 1024


def read(path: Path, fields: Fields) -> Iterator[Row | BadRow]:
    """Rows in the order of the file; `Invalid` where it has no such column, or is no Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if fields.text not in names:
                named = ", ".join(map(repr, names[:20]))
                raise Invalid(f"{path} has no column {fields.text!r}, it has {named}: name one with --text-field")
            wanted = [name for name in (fields.text, fields.id, fields.label) if name in names]
            number = 0
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                for content in batch.to_pylist():
                    number += 1
                    yield row_of(number, content, fields)
    except (pa.ArrowException, OSError) as exc:
        raise Invalid(f"{path} cannot be read as Parquet: {exc}") from exc
