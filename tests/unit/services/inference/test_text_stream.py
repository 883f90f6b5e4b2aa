from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.domain.text_stream import TextStream


def decode(ids: Sequence[int]) -> str:
    """Byte-level tokens: what is no whole character decodes to the replacement character, as tokenizers do."""
    return bytes(ids).decode("utf-8", errors="replace")


def pieces(text: str, stop: Sequence[str] = (), sizes: Sequence[int] = (1,)) -> list[str]:
    stream = TextStream(decode, stop)
    data = text.encode()
    out: list[str] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        out.append(stream.push(list(data[at : at + size])))
        at, turn = at + size, turn + 1
    return [*out, stream.finish()]


WHOLE = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd")


@given(st.text(alphabet=WHOLE), st.lists(st.integers(1, 5), min_size=1))
def test_the_pieces_are_the_text_however_the_tokens_fall(text: str, sizes: list[int]) -> None:
    assert "".join(pieces(text, sizes=sizes)) == text


def test_half_a_character_is_never_emitted() -> None:
    assert all("\ufffd" not in piece for piece in pieces("naïve 日本語 😀!"))


def test_an_answer_cut_within_a_character_drops_the_half() -> None:
    stream = TextStream(decode)
    emitted = stream.push(list("ok 😀".encode()[:-1]))
    assert emitted + stream.finish() == "ok "


def test_bytes_that_never_become_a_character_do_not_hold_the_stream_up() -> None:
    stream = TextStream(decode)
    emitted = "".join(stream.push([0xFF]) for _ in range(20))
    assert emitted
    assert stream.push(list(b"go on")).endswith("go on")


def test_text_before_a_stop_string_is_given_and_nothing_after_it() -> None:
    stream = TextStream(decode, ["\nUser:"])
    given_out = stream.push(list(b"Hi there\nUs")) + stream.push(list(b"er: more")) + stream.finish()
    assert given_out == "Hi there"
    assert stream.stopped


def test_a_beginning_of_a_stop_string_that_does_not_go_on_is_text() -> None:
    assert "".join(pieces("a STO b", stop=["STOP"])) == "a STO b"


@pytest.mark.parametrize("sizes", [[1], [2], [3, 1], [50]])
def test_a_stop_string_is_found_wherever_the_tokens_break(sizes: list[int]) -> None:
    assert "".join(pieces("one two END three", stop=["END"], sizes=sizes)) == "one two "


def test_the_first_of_several_stop_strings_wins() -> None:
    assert "".join(pieces("a [b] {c}", stop=["{", "["])) == "a "


def test_nothing_that_may_be_a_stop_string_leaves_early() -> None:
    stream = TextStream(decode, ["END"])
    assert stream.push(list(b"x EN")) == "x "
