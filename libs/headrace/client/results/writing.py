"""Results as a file of the kind that its name says, there when all of it is written."""

import csv
from collections.abc import Callable, Iterable, Mapping
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from headrace.messaging.errors import Invalid
from headrace.stores.replacing import replacing

_ROWS_AT_ONCE: Final = 1024
_COLUMNS: Final = ("line", "id", "label", "confidence", "scores", "model", "versions", "error")

Writer = Callable[[BinaryIO, Iterable[Mapping[str, Any]]], None]


def write(path: Path, results: Iterable[Mapping[str, Any]]) -> None:
    """Write all of them; a file that was there before stands until then."""
    with replacing(path) as file:
        writer_of(path)(file, results)


def writer_of(path: Path) -> Writer:
    """The writer for this name; `Invalid` where its ending says nothing."""
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise Invalid(f"{path} has no known kind: its name must end in one of {', '.join(_WRITERS)}")
    return writer


def _json_lines(file: BinaryIO, results: Iterable[Mapping[str, Any]]) -> None:
    file.writelines(orjson.dumps(result) + b"\n" for result in results)


def _comma_separated(file: BinaryIO, results: Iterable[Mapping[str, Any]]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in result.items()} for result in results)
    # The file is its owner's to close.
    text.detach()


def _cell(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, Mapping) else value


def _parquet(file: BinaryIO, results: Iterable[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    schema = pa.schema(
        {
            "line": pa.int64(),
            "id": text,
            "label": text,
            "confidence": pa.float64(),
            "scores": pa.map_(text, pa.float64()),
            "model": text,
            "versions": pa.map_(text, text),
            "error": pa.struct({"code": text, "message": text, "field": text}),
        }
    )
    waiting = iter(results)
    with pq.ParquetWriter(file, schema) as writer:
        while rows := list(islice(waiting, _ROWS_AT_ONCE)):
            typed = [{**row, "id": str(row["id"])} for row in rows]
            writer.write_table(pa.Table.from_pylist(typed, schema=schema))


_WRITERS: Final[Mapping[str, Writer]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _comma_separated,
    ".parquet": _parquet,
}
