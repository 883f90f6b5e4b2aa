from hypothesis import given
from hypothesis import strategies as st

from services.grounding.domain.question import asked


def test_a_short_question_is_searched_for_as_it_stands() -> None:
    assert asked(" What is a dead letter? ").windows == ("What is a dead letter?",)
    assert asked("weir").windows == ("weir",)


def test_each_sentence_is_searched_for_by_itself_and_all_of_a_short_text_together() -> None:
    text = "I lost my card. Hi! Who blocks it for me?"
    assert asked(text).windows == (text, "I lost my card.", "Who blocks it for me?")


def test_a_long_text_is_searched_for_by_its_parts_alone() -> None:
    text = " ".join(f"Sentence number {number} says this." for number in range(40))
    assert len(asked(text).windows) == 40


@given(st.text(max_size=3000))
def test_there_is_always_something_to_search_for_and_never_too_much(text: str) -> None:
    windows = asked(text * 3).windows
    assert 1 <= len(windows) <= 49


def test_no_word_of_a_very_long_text_is_lost() -> None:
    text = " ".join(f"Sentence number {number} says this." for number in range(500))
    windows = asked(text).windows
    assert len(windows) <= 48
    assert " ".join(windows) == text
