"""Rows by the kind of file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace.client.rows.reading import rows_of
from headrace.client.rows.row import BadRow, Fields, Row
from headrace.messaging.errors import Invalid

FIELDS = Fields()


def test_parquet_is_read_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"stars": [1, 5, 3], "text": ["bad", "good", None], "id": ["a", "b", "c"]}), path)
    assert list(rows_of(path, FIELDS)) == [
        Row(1, "a", "bad"),
        Row(2, "b", "good"),
        BadRow(3, "c", "no string under 'text': name another field with --text-field"),
    ]


def test_parquet_without_the_column_names_those_it_has(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"body": ["bad"]}), path)
    with pytest.raises(Invalid, match="no column 'text', it has 'body'"):
        list(rows_of(path, FIELDS))


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing of the kind PAR1"])
def test_what_is_no_parquet_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.parquet"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=r"in\.parquet cannot be read as Parquet"):
        list(rows_of(path, FIELDS))


def test_an_unknown_kind_of_file_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"must end in one of \.jsonl"):
        rows_of(tmp_path / "in.xlsx", FIELDS)
