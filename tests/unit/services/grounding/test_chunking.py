from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.documents.formats import TextType
from services.grounding.adapters.parsing import parse
from services.grounding.domain.chunking import Chunk, Outline, chunk, embedded_text

LINES = st.sampled_from(
    [
        "# Top", "## Part *one*", "### Deep `code`", "Setext\n===", "A sentence. And another one.", "* item\n  more",
        "1. one\n2. two", "> quoted",
        "```\n# no heading\n```", "| a | b |\n|---|---|\n| 1 | 2 |", "---", "", "    code",
        "ä 漢字 🙂 \u2028 \x0b", "<div>\n\nhtml\n\n</div>", "[link]: target", "trailing  \nbreak",
        "\x00", "\t",
    ]
)  # fmt: skip
MARKDOWN = st.builds(
    lambda lines, end: end.join(lines), st.lists(LINES, max_size=25), st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
)
TYPES = st.sampled_from(["text/markdown", "text/plain"])


def cut(content_type: TextType, content: str, limit: int = 40) -> list[Chunk]:
    return chunk(content, parse(content_type, content).blocks, max_tokens=limit, count=len)


@given(content_type=TYPES, content=MARKDOWN | st.text(max_size=200), limit=st.integers(1, 80))
def test_a_chunk_is_exactly_what_its_span_cuts_out(content_type: TextType, content: str, limit: int) -> None:
    for piece in cut(content_type, content, limit):
        assert content[piece.start : piece.end] == piece.text
        assert piece.text == piece.text.strip() != ""
        assert len(piece.text) <= limit


@given(content_type=TYPES, content=MARKDOWN, limit=st.integers(1, 80))
def test_chunks_come_in_order_and_never_overlap(content_type: TextType, content: str, limit: int) -> None:
    pieces = cut(content_type, content, limit)
    assert all(before.end <= after.start for before, after in pairwise(pieces))


@given(content=st.text(alphabet="ab \n.é", max_size=200))
def test_no_word_of_a_plain_text_is_lost(content: str) -> None:
    assert "".join("".join(piece.text for piece in cut("text/plain", content, 7)).split()) == "".join(content.split())


@given(content=MARKDOWN)
def test_a_document_with_words_is_never_without_a_chunk(content: str) -> None:
    assert bool(cut("text/markdown", content)) or not any(letter.isalnum() for letter in content) or "[link]" in content


def test_chunks_carry_their_headings() -> None:
    content = "# Guide\n\nIntro.\n\n## Lanes *and* `keys`\n\nTwo.\n\n### Why\n\nBecause.\n\n## Keys\n\nOrder.\n"
    assert [(piece.heading_path, piece.text) for piece in cut("text/markdown", content)] == [
        (("Guide",), "Intro."),
        (("Guide", "Lanes and keys"), "Two."),
        (("Guide", "Lanes and keys", "Why"), "Because."),
        (("Guide", "Keys"), "Order."),
    ]


def test_blocks_of_a_section_share_a_chunk_and_sections_never_do() -> None:
    content = "# A\n\none\n\n* two\n* three\n\n# A\n\nfour\n"
    assert [piece.text for piece in cut("text/markdown", content)] == ["one\n\n* two\n* three", "four"]


def test_a_hash_in_a_code_block_is_no_heading() -> None:
    content = "# A\n\n```sh\n# comment\nls\n```\n"
    assert [piece.heading_path for piece in cut("text/markdown", content)] == [("A",)]


def test_front_matter_is_not_indexed_and_shifts_no_span() -> None:
    content = "---\ntitle: secret\n---\n# Title\n\nBody.\n"
    assert cut("text/markdown", content) == [Chunk(content.index("Body"), len(content) - 1, "Body.", ("Title",))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_as_one_line(end: str) -> None:
    content = end.join(["# T", "", "a\u2028b\x0bc\x85d", "", "## U", "", "e"])
    assert [piece.text for piece in cut("text/markdown", content)] == ["a\u2028b\x0bc\x85d", "e"]


def test_the_title_is_the_first_heading_of_the_first_level() -> None:
    assert parse("text/markdown", "## Small\n\n# The\n## x").title == "The"
    assert parse("text/plain", "# The") == Outline("", parse("text/plain", "# The").blocks)


def test_a_document_of_headings_only_can_be_found() -> None:
    assert [piece.text for piece in cut("text/markdown", "# Lost and found\n")] == ["# Lost and found"]


def test_a_run_without_spaces_is_cut_though_the_tokenizer_calls_it_one_token() -> None:
    pieces = chunk("x" * 5000, (), max_tokens=16, count=lambda _: 1)
    assert max(len(piece.text) for piece in pieces) <= 128


def test_what_is_embedded_names_the_place_once() -> None:
    piece = Chunk(0, 4, "Text", ("Guide", "Keys"))
    assert embedded_text("Guide", piece) == "Guide > Keys\nText"
    assert embedded_text("Other", piece) == "Other > Guide > Keys\nText"
    assert embedded_text("", Chunk(0, 4, "Text", ())) == "Text"
    assert embedded_text("T" * 500, piece).endswith("T > Guide > Keys\nText")
    assert len(embedded_text("T" * 500, piece)) < 180
