"""Typing errors are corrected, and what is meant as it stands is left alone."""

import time
from pathlib import Path

import pytest

from services.preprocessing.adapters.spelling import SymSpellSpeller, words_of
from services.preprocessing.domain.typos import correct

SPELLER = SymSpellSpeller(frozenset({"valkey"}))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how long is teh delivry?", "how long is the delivery?"),
        ("I want to retrun it  becuase\nthe adress changed", "I want to return it  because\nthe address changed"),
        ("definately a refunf, please", "definitely a refund, please"),
    ],
)
def test_a_letter_too_many_too_few_or_out_of_place(typed: str, meant: str) -> None:
    assert correct(typed, SPELLER.suggest) == meant


@pytest.mark.parametrize(
    "text",
    [
        "how does valkey differ from kafka on a gpu?",
        "the websocket tokenizer emits tokens",
        "Teh Delivry of ACOUNT",
        "run `delivry --adress` then",
        "```\nteh delivry = adress\n``` and more",
        "mail teh@delivry.example or see https://adress.example/retrun",
        "the file delivry_adress.py and retrun.txt and /etc/adress",
        "order abc123delivry and teh2",
        "wich one",
        "it's the customer's, isn't it",
        "Wo ist das Paket?",
        "日本語 naïve café",
    ],
)
def test_names_code_and_what_could_be_either_stay(text: str) -> None:
    assert correct(text, SPELLER.suggest) == text


def test_a_text_without_spaces_takes_no_longer_than_another() -> None:
    """INVARIANT: no text of a client makes the search for words take the square of its length."""
    began = time.perf_counter()
    for text in ("x" * 32_000, "a." * 16_000, "`" * 32_000, "/" * 32_000):
        correct(text, lambda _word: None)
    assert time.perf_counter() - began < 1


def test_words_of_ones_own_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# ours\nQdrant\n\npenstock # of a mill\n", encoding="utf-8")
    assert words_of(path) == {"qdrant", "penstock"}
    assert words_of(tmp_path / "none.txt") == frozenset()
