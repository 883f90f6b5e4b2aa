"""What is shown of an answer, in pieces and whole."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postprocessing.domain.formatting import Progress, Rules, format_piece, format_whole

RULES = Rules(
    markers=frozenset({"[1]", "[12]"}),
    masks={
        "<EMAIL_1>": "zoe@example.org",
        "<EMAIL_10>": "j@example.org",
        "[NAME_1]": "Ann  Lee",
        "EM": "x",
        "EMA": "y",
    },
)
PIECES = st.sampled_from(
    [
        *("[1]", "[7]", "[12]", "[123]", "[1234]", "[", "]", "<", "|", ">", "<|im_end|>", "<|im_", "end|>"),
        *("<EMAIL_1", "<EMAIL_1>", "<EMAIL_10>", "[NAME_1]", "[NAME", "_1]", "E", "EM", "EMA"),
        *("\ufffd", " ", "\n", "\t", "\u00a0", "`", ".", "word", "a", "1"),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60))


def stream(pieces: list[str], rules: Rules) -> str:
    progress, shown = Progress(), []
    for number, piece in enumerate(pieces, start=1):
        formatted = format_piece(progress, piece, rules, last=number == len(pieces))
        progress = formatted.progress
        shown.append(formatted.text)
    return "".join(shown)


@given(text=TEXTS, data=st.data())
def test_pieces_joined_are_the_whole_wherever_they_are_cut(text: str, data: st.DataObject) -> None:
    """INVARIANT: a completed answer's text equals its deltas joined, for any segmentation."""
    places = st.lists(st.integers(0, len(text)), max_size=12).map(sorted)
    cuts = [0, *data.draw(places), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    assert stream(pieces, RULES) == format_whole(text, RULES)


@given(text=TEXTS)
def test_pieces_of_one_character_are_the_whole(text: str) -> None:
    assert stream([*text, ""], RULES) == format_whole(text, RULES)


@given(text=TEXTS)
def test_no_white_space_stands_at_either_end(text: str) -> None:
    shown = format_whole(text, RULES)
    assert shown == shown.strip()


@given(text=st.text(st.sampled_from("abc def,.\n"), max_size=60))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert format_whole(text, RULES) == text.strip()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  Hello.\n", "Hello."),
        ("Hello<|im_end|>", "Hello"),
        ("<|im_start|> Hello", "Hello"),
        ("Caf\ufffde", "Cafe"),
        ("Shipping is free [1].", "Shipping is free [1]."),
        ("Shipping is free [7].", "Shipping is free."),
        ("Free [7] and fast [1][8].", "Free and fast [1]."),
        ("[7] Free", "Free"),
        ("Write to <EMAIL_1>.", "Write to zoe@example.org."),
        ("Write to <EMAIL_10>.", "Write to j@example.org."),
        ("Dear [NAME_1],", "Dear Ann  Lee,"),
        ("Take items[0] or grid[2][3].", "Take items[0] or grid[2][3]."),
        ("Use `x = [5]` here [5].", "Use `x = [5]` here."),
        ("a < b and [x] and <b>", "a < b and [x] and <b>"),
        ("<|Not a token|>", "<|Not a token|>"),
        ("in [1234] pieces", "in [1234] pieces"),
        ("cut off [1", "cut off [1"),
    ],
)
def test_what_is_shown(raw: str, shown: str) -> None:
    assert format_whole(raw, RULES) == shown


def test_without_sources_brackets_are_the_authors_own() -> None:
    assert format_whole("As Knuth says [7].", Rules()) == "As Knuth says [7]."


def test_nothing_is_held_back_that_the_next_character_does_not_decide() -> None:
    formatted = format_piece(Progress(), "A sentence. And a", RULES, last=False)
    assert formatted.text == "A sentence. And a"
    assert formatted.progress.held == ""


def test_a_value_that_looks_like_a_mask_is_not_unmasked_again() -> None:
    """INVARIANT: what a person wrote goes back as it was, even if it reads like one of our masks."""
    rules = Rules(masks={"<A_1>": "<A_2>", "<A_2>": "secret"})
    assert format_whole("<A_1>", rules) == "<A_2>"


STRUCTURED = Rules(frozenset({"[1]"}), {"<NAME_1>": 'Ann "A" Lee'}, structured=True)


def test_text_for_a_program_keeps_its_brackets_and_gets_masks_that_fit_into_strings() -> None:
    answer = '{"name": "<NAME_1>", "marks": [1], "years": [7], "rows": [[1], [2]]}'
    shown = format_whole(answer, STRUCTURED)
    assert json.loads(shown) == {"name": 'Ann "A" Lee', "marks": [1], "years": [7], "rows": [[1], [2]]}


@given(data=st.data())
def test_text_for_a_program_does_not_depend_on_the_cuts_either(data: st.DataObject) -> None:
    answer = '{"name": "<NAME_1>", "marks": [1], "rest": " [12] "}'
    cuts = sorted({0, len(answer), *data.draw(st.lists(st.integers(0, len(answer)), max_size=8))})
    assert stream([answer[a:b] for a, b in pairwise(cuts)], STRUCTURED) == format_whole(answer, STRUCTURED)
