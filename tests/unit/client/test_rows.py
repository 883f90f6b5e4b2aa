"""Rows of a file, and lines in their order."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.client.in_order import InOrder, replacing
from headrace.client.rows import BadRow, Row, parse


def test_rows_keep_their_line_and_their_id() -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "a"}\r\n',
        b"\n",
        b'{"id": "x", "text": "b", "more": 1}\n',
        b'{"id": 7, "text": "c"}',
    ]
    assert list(parse(lines)) == [Row(1, 1, "a"), Row(3, "x", "b"), Row(4, 7, "c")]


def test_the_text_may_stand_under_another_name() -> None:
    assert list(parse([b'{"body": "a"}'], text_field="body")) == [Row(1, 1, "a")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "caf\xe9"}', "not UTF-8: byte 14"),
        (b'{"text": ', "no JSON"),
        (b"[1]", "no object"),
        (b'"text"', "no object"),
        (b'{"body": "a"}', "--text-field"),
        (b'{"text": 5}', "no string under 'text'"),
        (b'{"text": "  "}', "'text' is empty"),
    ],
)
def test_a_bad_row_says_why_and_the_next_is_read(line: bytes, reason: str) -> None:
    bad, good = parse([line, b'{"text": "a"}'])
    assert isinstance(bad, BadRow)
    assert bad.line == 1
    assert reason in bad.reason
    assert good == Row(2, 2, "a")


@given(lines=st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)))
def test_any_bytes_are_a_row_or_a_bad_row(lines: list[bytes]) -> None:
    assert len(list(parse(lines))) <= len(lines)


@given(order=st.permutations(range(10)))
def test_lines_are_written_in_their_order_whatever_order_they_come_in(order: list[int]) -> None:
    file = BytesIO()
    writer = InOrder(file, iter(range(10)))
    for number in order:
        writer.add(number, {"line": number})
    assert file.getvalue() == b"".join(b'{"line":%d}\n' % number for number in range(10))


def test_a_file_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_what_was_written_before_a_failure_is_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"

    def fail_halfway() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert not path.exists()
    assert (tmp_path / "out.jsonl.partial").read_bytes() == b"half"
