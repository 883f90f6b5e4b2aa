"""Which classes, and whose."""

import pytest

from headrace.prompts.template import Label
from services.preprocessing.domain.labelling import covers, of_classifier
from services.preprocessing.domain.request import Rejected

OWN = (Label("negative"), Label("positive"), Label("neutral"))


def test_without_classes_asked_for_all_of_the_models_own_are_meant() -> None:
    assert covers(OWN, ())
    assert of_classifier("m", OWN, ()) == OWN


def test_some_of_its_own_are_taken_in_its_own_spelling() -> None:
    asked = (Label("Positive"), Label("NEGATIVE"))
    assert covers(OWN, asked)
    assert of_classifier("m", OWN, asked) == (Label("negative"), Label("positive"))


@pytest.mark.parametrize("asked", [(Label("late"), Label("broken")), (Label("positive"), Label("late"))])
def test_classes_it_does_not_know_are_refused_with_those_it_does(asked: tuple[Label, ...]) -> None:
    refused = of_classifier("m", OWN, asked)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.field) == ("unknown_label", "labels")
    assert "negative, positive, neutral" in refused.message
