"""Rows of CSV."""

from pathlib import Path

import pytest

from headrace.client.rows.comma_separated import read
from headrace.client.rows.row import BadRow, Fields, Row
from headrace.messaging.errors import Invalid

FIELDS = Fields()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "in.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|"])
def test_whatever_separates_the_columns_is_found(tmp_path: Path, separator: bytes) -> None:
    content = b"\xef\xbb\xbfid|text|stars\r\na1|good|5\r\n|bad|1\r\n".replace(b"|", separator)
    assert list(read(written(tmp_path, content), FIELDS)) == [Row(2, "a1", "good"), Row(3, 3, "bad")]


def test_a_row_over_several_lines_has_the_number_of_its_first(tmp_path: Path) -> None:
    path = written(tmp_path, b'text\n"one\ntwo, three"\nfour\n')
    assert list(read(path, FIELDS)) == [Row(2, 2, "one\ntwo, three"), Row(4, 4, "four")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a,b,c", "3 columns where the first row names 2"),
        (b"1,caf\xe9", "not UTF-8"),
        (b'1,"  "', "'text' is empty"),
        (b'1,"' + b"x" * (17 << 20) + b'"', "quotation mark"),
    ],
)
def test_a_bad_row_says_why_and_the_next_is_read(tmp_path: Path, row: bytes, reason: str) -> None:
    bad, good = read(written(tmp_path, b"id,text\n" + row + b"\n2,fine\n"), FIELDS)
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert reason in bad.reason
    assert good == Row(3, "2", "fine")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id;body\n1;a\n", "has no column 'text', it has 'id', 'body': name one with --text-field"),
        (b"", "is empty"),
        ("text\na\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
    ],
)
def test_a_file_without_the_column_is_refused_with_those_it_has(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        list(read(written(tmp_path, content), FIELDS))
