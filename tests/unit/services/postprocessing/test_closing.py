"""What an answer that was cut is given so that a page does not draw the rest of itself as part of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.postprocessing.domain.closing import closing

MARKS = st.sampled_from(["```", "~~~", "`", "**", "\n", "\n\n", "word ", "[a](", "http://x", ")", "| a ", "    "])


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Done.", ""),
        ("", ""),
        ("```py\nprint(1)", "\n```"),
        ("```py\nprint(1)\n", "```"),
        ("```py\nprint(1)\n```\nSo", ""),
        ("````md\n```\ncode\n```", "\n````"),
        ("~~~\na", "\n~~~"),
        ("use `make ru", "`"),
        ("use ``a ` b", "``"),
        ("this is **very impor", "**"),
        ("**done** and `x` and", ""),
        ("`**` is bold", ""),
        ("see [the page](https://exa", ")"),
        ("| a | b |\n|---|---|\n| 1 | tw", " |"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ""),
        ("**one paragraph\n\nand the next", ""),
        ("2 ** 3\n\n1. first", ""),
    ],
)
def test_the_mark_that_is_missing(text: str, end: str) -> None:
    assert closing(text) == end


@given(st.lists(MARKS, max_size=12).map("".join))
def test_no_fence_is_left_open(text: str) -> None:
    whole = text + closing(text) + "\n\nAFTER"
    fences = [token for token in MarkdownIt().parse(whole) if token.type == "fence"]
    assert not any("AFTER" in fence.content for fence in fences)
