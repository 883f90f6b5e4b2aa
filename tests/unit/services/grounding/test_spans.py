from hypothesis import given
from hypothesis import strategies as st

from services.grounding.domain.spans import Span, pack, split, trimmed

PROSE = st.text(alphabet="ab ä漢.,;!\n\r\t…🙂", max_size=300)


@given(text=PROSE, limit=st.integers(1, 40))
def test_pieces_laid_side_by_side_are_the_text_again(text: str, limit: int) -> None:
    pieces = split(text, Span(0, len(text)), lambda piece: len(piece) <= limit)
    assert "".join(piece.of(text) for piece in pieces) == text


@given(text=PROSE, limit=st.integers(1, 40))
def test_every_piece_fits(text: str, limit: int) -> None:
    pieces = split(text, Span(0, len(text)), lambda piece: len(piece) <= limit)
    assert all(len(piece.of(text).strip()) <= limit for piece in pieces)


def test_a_cut_falls_on_the_largest_boundary_that_helps() -> None:
    text = "One two. Three four.\nFive.\n\nSix seven eight."
    assert [piece.of(text) for piece in split(text, Span(0, len(text)), lambda piece: len(piece) <= 30)] == [
        "One two. Three four.\nFive.\n\n",
        "Six seven eight.",
    ]
    assert [piece.of(text) for piece in split(text, Span(0, 21), lambda piece: len(piece) <= 12)] == [
        "One two. ",
        "Three four.\n",
    ]


def test_a_word_that_is_too_long_is_cut_all_the_same() -> None:
    text = "x" * 1000
    pieces = split(text, Span(0, 1000), lambda piece: len(piece) <= 64)
    assert max(piece.end - piece.start for piece in pieces) <= 64


def test_neighbours_are_joined_with_what_lies_between_them() -> None:
    text = "aa --- bb cc"
    assert pack(text, [Span(0, 2), Span(7, 9), Span(10, 12)], lambda piece: len(piece) <= 9) == [
        Span(0, 9),
        Span(10, 12),
    ]


def test_white_space_alone_is_no_span() -> None:
    assert trimmed("a \n b", Span(1, 4)) is None
    assert trimmed("a \n b", Span(1, 5)) == Span(4, 5)
