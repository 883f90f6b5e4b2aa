import pytest

from services.grounding.domain.lexical import Sparse, passage_weights, question_weights


def dot(one: Sparse, other: Sparse) -> float:
    there = dict(zip(other.places, other.values, strict=True))
    return sum(value * there.get(place, 0.0) for place, value in zip(one.places, one.values, strict=True))


def test_a_word_that_is_asked_for_counts_and_the_rest_does_not() -> None:
    passage = passage_weights(["weir", "low", "dawn"])
    assert dot(question_weights(["weir"]), passage) > 0
    assert dot(question_weights(["turbine"]), passage) == 0


def test_saying_it_again_counts_less_each_time_and_length_counts_against() -> None:
    filler = ["x"] * 19
    once, twice, often = (dot(question_weights(["weir"]), passage_weights(["weir"] * n + filler)) for n in (1, 2, 9))
    assert twice - once > (often - twice) / 7 > 0
    long = passage_weights(["weir", *["x"] * 199])
    assert dot(question_weights(["weir"]), long) < once


def test_a_question_asks_as_often_as_it_says_a_word() -> None:
    passage = passage_weights(["weir"])
    assert dot(question_weights(["weir"] * 3), passage) == pytest.approx(3 * dot(question_weights(["weir"]), passage))


def test_a_usual_passage_has_the_weights_of_the_formula() -> None:
    (weight,) = passage_weights(["weir"] * 40).values
    assert weight == pytest.approx(40 * 2.2 / (40 + 1.2))
