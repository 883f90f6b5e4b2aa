"""Which answers are worth learning from."""

from dataclasses import replace

import pytest

from services.feedback.domain.reporting import Summary, counted
from services.feedback.domain.training import Example, Rated, Said, Skipped, example_of

UP = Said("zoe", 1.0, "", consent_to_train=True, submitted_at_ms=1)
DOWN = replace(UP, worth=0.0)
BETTER = replace(UP, worth=None, correction="Five days.", submitted_at_ms=2)
ANSWERED = Rated("How long?", "Two days.", "answered", (UP,))


def example(*said: Said, **changes: str) -> Example | Skipped:
    return example_of(replace(ANSWERED, said=said, **changes), 0.75)


def test_an_answer_that_was_liked_is_an_example() -> None:
    assert example(UP) == Example("How long?", "Two days.", corrected=False)


def test_a_correction_stands_in_place_of_the_answer_whatever_the_rating() -> None:
    for said in ((BETTER,), (UP, BETTER), (DOWN, BETTER), (BETTER, replace(UP, user="ann"))):
        assert example(*said) == Example("How long?", "Five days.", corrected=True)
    latest = replace(BETTER, user="ann", correction="Six days.", submitted_at_ms=9)
    assert example(latest, BETTER) == Example("How long?", "Six days.", corrected=True)


def test_a_correction_of_an_answer_that_was_refused_is_an_example_too() -> None:
    assert isinstance(example(BETTER, status="refused", answer=""), Example)
    assert example(UP, status="refused") is Skipped.BELOW_RATING


@pytest.mark.parametrize("said", [UP, BETTER])
def test_without_consent_nothing_is_learned(said: Said) -> None:
    """INVARIANT: what nobody let be trained on never reaches an example."""
    assert example(replace(said, consent_to_train=False)) is Skipped.NO_CONSENT
    assert example(said, replace(said, consent_to_train=False, submitted_at_ms=3)) is Skipped.NO_CONSENT


def test_one_persons_consent_is_not_anothers() -> None:
    silent = replace(BETTER, user="ann", consent_to_train=False)
    assert example(UP, silent) == Example("How long?", "Two days.", corrected=False)
    nameless = replace(UP, user="")
    assert isinstance(example(nameless, replace(nameless, consent_to_train=False)), Example)


def test_what_was_said_later_without_a_rating_leaves_the_rating() -> None:
    comment = replace(UP, worth=None, submitted_at_ms=5)
    assert isinstance(example(UP, comment), Example)
    assert example(DOWN, comment) is Skipped.BELOW_RATING
    assert example(comment) is Skipped.BELOW_RATING


def test_people_who_disagree_are_averaged() -> None:
    assert example(UP, replace(DOWN, user="ann")) is Skipped.BELOW_RATING
    assert isinstance(example(UP, replace(UP, user="ann", worth=0.5)), Example)


def test_an_empty_text_teaches_nothing() -> None:
    assert example(UP, answer="  ") is Skipped.EMPTY
    assert example(UP, question="") is Skipped.EMPTY


def test_the_same_words_in_another_dress_are_the_same_example() -> None:
    one = Example("How  long?", "Two days.", corrected=False)
    assert one.digest == Example("how long?", "TWO\u00a0days.", corrected=True).digest
    assert one.digest != Example("How long? Two", "days.", corrected=False).digest


def test_the_two_shapes() -> None:
    one = Example("How long?", "Two days.", corrected=False)
    assert one.shaped("prompt") == {"prompt": "How long?", "completion": "Two days."}
    assert one.shaped("chat") == {
        "messages": [{"role": "user", "content": "How long?"}, {"role": "assistant", "content": "Two days."}]
    }


def test_a_share_comes_with_its_interval() -> None:
    summary = Summary("m", "t", "a", turns=9, ratings=9, mean_worth=0.5, comments=0, corrections=0, up=8, down=2)
    assert summary.liked is not None
    assert (summary.liked.value, summary.liked.low, summary.liked.high) == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)
    assert replace(summary, up=0, down=0).liked is None


def test_reasons_are_counted_the_most_frequent_first() -> None:
    assert counted(["style", "accuracy,style", ""]) == (("style", 2), ("accuracy", 1))
