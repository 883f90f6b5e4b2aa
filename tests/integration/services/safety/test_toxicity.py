"""The converted classifier, against what is known of it."""

from pathlib import Path

import pytest

from headrace.messaging.errors import Fatal
from services.safety.adapters.toxicity import ToxicityHead, ToxicityModel, ensure_head

pytestmark = pytest.mark.integration


def test_an_insult_is_told_from_a_question() -> None:
    head = ToxicityHead.load(ensure_head())
    assert head("You stupid idiot, go to hell") > 0.95
    assert head("How do tides work?") < 0.1
    assert head("") == 0.0


def test_the_conversion_scores_as_its_source_did() -> None:
    head = ToxicityHead.load(ensure_head())
    assert head("What a load of crap") == pytest.approx(0.9924, abs=1e-3)
    assert head("I am a gay man from Berlin") == pytest.approx(0.4973, abs=1e-3)


async def test_the_model_refuses_to_guess_before_it_is_warm() -> None:
    model = ToxicityModel()
    with pytest.raises(Fatal):
        model("anything")
    await model.warm_up()
    assert model("How do tides work?") < 0.1


def test_a_file_that_is_no_head_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    path.write_bytes(b"no head")
    with pytest.raises(Fatal, match="delete it"):
        ToxicityHead.load(path)
