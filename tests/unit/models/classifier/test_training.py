"""A head, from training to file to judgement."""

from pathlib import Path

import numpy as np
import pytest

from headrace.messaging.errors import Fatal
from headrace.models.classifier.features import ngrams
from headrace.models.classifier.head import HEAD, Floats, Head
from headrace.models.classifier.training import train

SAID = {
    "good": ["a fine film", "fine and warm", "warm and fine", "such a warm film"],
    "bad": ["a dull film", "dull and long", "long and dull", "such a long film"],
    "odd": ["a strange film", "strange and new", "new and strange", "such a new film"],
}


def vectors(texts: list[str]) -> Floats:
    """Nothing to learn from: what is learned is in the words."""
    return np.full((len(texts), 4), 0.5, np.float32)


def trained(*labels: str) -> Head:
    texts = [text for label in labels for text in SAID[label]]
    classes = [index for index, label in enumerate(labels) for _ in SAID[label]]
    return train([ngrams(text) for text in texts], vectors(texts), classes, labels)


@pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "good", "odd")])
def test_what_was_said_in_training_is_recognised_with_probabilities_that_sum_to_one(labels: tuple[str, ...]) -> None:
    head = trained(*labels)
    texts = ["fine and warm", "dull and long", "strange and new"][: len(labels)]
    found = head.log_probabilities([ngrams(text) for text in texts], vectors(texts))
    assert np.allclose(np.exp(found).sum(axis=1), 1, atol=1e-5)
    assert [labels[index] for index in found.argmax(axis=1)] == ["good", "bad", "odd"][: len(labels)]


def test_a_text_of_unknown_words_and_an_empty_one_are_judged_too() -> None:
    found = trained("bad", "good").log_probabilities([ngrams("zebra"), ngrams("")], vectors(["", ""]))
    assert np.isfinite(found).all()


def test_a_head_on_disk_judges_as_the_one_in_memory(tmp_path: Path) -> None:
    head = trained("bad", "good", "odd")
    head.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [HEAD]
    texts = [ngrams("fine and strange"), ngrams("a long film")]
    again = Head.load(tmp_path)
    assert again.labels == head.labels
    said, kept = (each.log_probabilities(texts, vectors(["", ""])) for each in (head, again))
    assert np.allclose(said, kept, atol=1e-2)


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_head_is_fatal_and_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / HEAD).write_bytes(content)
    with pytest.raises(Fatal, match="is no trained classifier"):
        Head.load(tmp_path)
