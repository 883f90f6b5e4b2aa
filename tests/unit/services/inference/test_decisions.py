from dataclasses import fields, replace
from typing import Any

import pytest

from services.inference.domain.fingerprint import Shape, fingerprint
from services.inference.domain.probabilities import among
from services.inference.domain.sampling import Sampling, room

SHAPE = Shape(
    tenant="acme",
    model="m",
    model_revision="1",
    adapter="",
    template="chat",
    template_version="1",
    corpus_version="c1",
    policy="default",
    policy_version="1",
    response_format="",
    sampling=Sampling(),
    messages=(("user", "hi"),),
)
OTHER: dict[str, Any] = {
    "sampling": Sampling(max_tokens=1),
    "messages": (("user", "ho"),),
    "labels": ("yes",),
}


@pytest.mark.parametrize("name", [field.name for field in fields(Shape)])
def test_whatever_shaped_the_answer_changes_its_fingerprint(name: str) -> None:
    other = replace(SHAPE, **{name: OTHER.get(name, "other")})
    assert fingerprint(other) != fingerprint(SHAPE)


def test_the_same_shape_has_the_same_fingerprint() -> None:
    assert fingerprint(replace(SHAPE)) == fingerprint(SHAPE)


def test_words_do_not_wander_from_one_message_to_the_next() -> None:
    one = replace(SHAPE, messages=(("user", "ab"), ("user", "c")))
    two = replace(SHAPE, messages=(("user", "a"), ("user", "bc")))
    assert fingerprint(one) != fingerprint(two)


def test_probabilities_sum_to_one_and_follow_the_likelihoods() -> None:
    found = among([[-1.0], [-2.0], [-3.0]])
    assert sum(found) == pytest.approx(1)
    assert found[0] > found[1] > found[2]


def test_a_near_certain_tail_costs_a_label_almost_nothing() -> None:
    short, long = among([[-1.0], [-1.0, -0.001, -0.001]])
    assert short == pytest.approx(long, rel=0.01)


def test_very_unlikely_labels_still_compare() -> None:
    assert among([[-900.0], [-901.0]])[0] == pytest.approx(0.731, abs=0.001)


def test_an_answer_ends_at_the_end_of_the_window() -> None:
    assert room(Sampling(max_tokens=100), prompt_tokens=90, context_window=128) == 38
    assert room(Sampling(max_tokens=10), prompt_tokens=90, context_window=128) == 10
    assert room(Sampling(), prompt_tokens=128, context_window=128) <= 0
