"""Rows of JSONL."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.client.rows.json_lines import parse
from headrace.client.rows.lines import MAX_LINE_BYTES, lines_of
from headrace.client.rows.row import BadRow, Fields, Row

FIELDS = Fields()


def test_rows_keep_their_line_and_their_id() -> None:
    file = BytesIO(b'\xef\xbb\xbf{"text": "a"}\r\n\n{"id": "x", "text": "b", "more": 1}\n{"id": 7, "text": "c"}')
    assert list(parse(lines_of(file), FIELDS)) == [Row(1, 1, "a"), Row(3, "x", "b"), Row(4, 7, "c")]


def test_text_and_id_may_stand_under_other_names() -> None:
    assert list(parse([b'{"body": "a", "nr": 9}'], Fields(text="body", id="nr"))) == [Row(1, 9, "a")]


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
    bad, good = parse([line, b'{"text": "a"}'], FIELDS)
    assert isinstance(bad, BadRow)
    assert bad.line == 1
    assert reason in bad.reason
    assert good == Row(2, 2, "a")


@given(lines=st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)))
def test_any_bytes_are_a_row_or_a_bad_row(lines: list[bytes]) -> None:
    assert len(list(parse(lines, FIELDS))) <= len(lines)


def test_a_line_of_a_hundred_megabytes_is_a_bad_row_and_never_in_memory() -> None:
    longest = 0

    def seen() -> BytesIO:
        return BytesIO(b'{"text": "' + b"x" * (100 << 20) + b'"}\n{"text": "a"}\n')

    def measured() -> list[bytes]:
        nonlocal longest
        lines = list(lines_of(seen()))
        longest = max(map(len, lines))
        return lines

    bad, good = parse(measured(), FIELDS)
    assert longest == MAX_LINE_BYTES + 1
    assert isinstance(bad, BadRow)
    assert "longer than 16 MiB" in bad.reason
    assert good == Row(2, 2, "a")
