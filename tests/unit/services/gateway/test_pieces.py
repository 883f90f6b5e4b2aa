from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.pieces import Pieces

texts = st.lists(st.text(max_size=5), max_size=8)


@given(texts, st.integers(0, 9))
def test_sealed_pieces_are_the_same_pieces(said: list[str], first: int) -> None:
    pieces = Pieces()
    for text in said:
        pieces.append(text)
    open_ones = len(pieces), pieces.since(first), pieces.join()
    pieces.seal("something else")
    assert (len(pieces), pieces.since(first), pieces.join()) == open_ones
    assert open_ones == (len(said), said[first:], "".join(said))


def test_a_text_that_is_all_of_them_is_not_kept_twice() -> None:
    pieces = Pieces()
    pieces.append("one ")
    pieces.append("and two")
    final = "".join(pieces.since(0))
    pieces.seal(final)
    assert pieces.join() is final
