"""Results as files."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from headrace.client.results.writing import write
from headrace.messaging.errors import Invalid

GOOD: dict[str, Any] = {
    "line": 1,
    "id": "a",
    "label": "good",
    "confidence": 0.75,
    "scores": {"good": 0.75, "bad": 0.25},
    "model": "words",
    "versions": {"model": "words", "revision": "1"},
}
BAD: dict[str, Any] = {"line": 2, "id": 2, "error": {"code": "bad_row", "message": "'text' is empty", "field": ""}}


def test_jsonl_holds_them_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [GOOD, BAD])
    assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == [GOOD, BAD]


def test_csv_has_a_column_for_each_part(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, [GOOD, BAD])
    with path.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["id"], first["label"], first["confidence"], first["error"]) == ("a", "good", "0.75", "")
    assert orjson.loads(first["scores"]) == GOOD["scores"]
    assert (second["label"], orjson.loads(second["error"])) == ("", BAD["error"])


def test_parquet_has_typed_columns(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write(path, (row for row in (GOOD, BAD)))
    first, second = pq.read_table(path).to_pylist()
    assert (first["line"], first["id"], first["confidence"], dict(first["scores"])) == (1, "a", 0.75, GOOD["scores"])
    assert (second["id"], second["label"], second["error"]) == ("2", None, BAD["error"])


def test_a_file_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")

    def failing() -> Any:
        yield GOOD
        assert path.read_bytes() == b"old"
        raise KeyError

    with pytest.raises(KeyError):
        write(path, failing())
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_name_that_says_no_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"must end in one of \.jsonl"):
        write(tmp_path / "out.xlsx", [GOOD])
