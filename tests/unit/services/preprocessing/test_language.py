"""Language detection on a handful of sentences."""

import pytest

from services.preprocessing.adapters.language import LangidDetector

DETECTOR = LangidDetector()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("How long does the delivery to the islands take?", "en"),
        ("Wie lange dauert die Lieferung auf die Inseln?", "de"),
        ("Combien de temps prend la livraison vers les îles ?", "fr"),
        ("¿Cuánto tarda el envío a las islas?", "es"),
        ("配送にはどのくらいかかりますか", "ja"),
    ],
)
def test_a_sentence_is_enough(text: str, code: str) -> None:
    language = DETECTOR.detect(text)
    assert language.code == code
    assert language.confidence > 0.5


@pytest.mark.parametrize("text", ["", "42", "?!", "ok", "x = f(y)"])
def test_what_shows_no_language_has_none(text: str) -> None:
    assert DETECTOR.detect(text).code == ""
