import pytest

from services.grounding.domain.follow_up import condensed, leans
from tests.bench.grounding.conversations import FOLLOW_UPS, OF_THEIR_OWN


@pytest.mark.parametrize("question", [asked for _, asked, _ in FOLLOW_UPS])
def test_a_question_that_needs_the_one_before_is_told(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize("question", OF_THEIR_OWN)
def test_a_question_that_says_what_it_is_about_is_left_alone(question: str) -> None:
    assert not leans(question)
    assert condensed(question, ["What is a lane?"]) == question


def test_what_it_leans_on_goes_before_it() -> None:
    before = ["Which lanes are there?", "What is a dead letter?", "And how long is it kept?"]
    assert condensed("Why?", before) == "What is a dead letter? And how long is it kept? Why?"
    assert condensed("Why?", before[:2]) == "What is a dead letter? Why?"


def test_without_anything_before_it_stands_as_it_is() -> None:
    assert condensed("Why?", []) == "Why?"


def test_whoever_writes_much_says_what_it_is_about() -> None:
    assert not leans("It " + "word " * 30)
