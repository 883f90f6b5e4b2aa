"""Models that tell texts apart: a head of our own, and a transformers classifier, each in its process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from headrace.messaging.errors import Invalid, Retryable
from headrace.models.classifier.encoding import encode
from headrace.models.classifier.training import train
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.models.spec import ModelSpec
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.classifier_engine import ClassifierEngine
from services.inference.adapters.engines.opening import open_engine
from services.inference.ports import Chat, GenerationRequest, ScoreRequest

pytestmark = pytest.mark.integration

GOOD = ["I love it.", "A wonderful room.", "The food was delicious.", "We will come back.", "Such kind people."]
BAD = ["I hate it.", "A dirty room.", "The food was cold.", "We will never come back.", "Such rude people."]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "a", "film"]


def spec(folder: Path, labels: Sequence[Any], **changes: Any) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "name": "moods",
            "task": "classify",
            "revision": "1",
            "source": {"type": "path", "path": str(folder)},
            "labels": [label if isinstance(label, dict) else {"name": label} for label in labels],
            "limits": {"context_window": 512, "max_new_tokens": 1},
            **changes,
        }
    )


def head(folder: Path) -> ModelSpec:
    encoder = load_registry(infra_dir() / "models").get("all-minilm-l6-v2")
    encoded = encode([*BAD, *GOOD], Embedder.load(prepare(encoder)), what="test")
    train(encoded.grams, encoded.vectors, [0] * len(BAD) + [1] * len(GOOD), ["negative", "positive"]).save(folder)
    return spec(folder, ["negative", "positive"], encoder=encoder)


def tiny_bert(folder: Path) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    (folder / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=16).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=16,
        id2label={0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@asynccontextmanager
async def running(model: ModelSpec) -> AsyncIterator[ClassifierEngine]:
    engine = open_engine(model, prepare(model), gpu=False)
    assert isinstance(engine, ClassifierEngine)
    try:
        yield engine
    finally:
        await engine.close()


async def score(engine: ClassifierEngine, text: str, *labels: str, number: int = 0) -> tuple[float, ...]:
    request = ScoreRequest(f"r{number}", Chat((("user", text),)), labels or ("negative", "positive"))
    return (await engine.score(request)).probabilities


async def test_a_head_tells_texts_apart_many_at_a_time_and_each_gets_its_own(tmp_path: Path) -> None:
    async with running(head(tmp_path)) as engine:
        texts = ["What a lovely, delicious breakfast.", "Cold, dirty and rude."] * 20
        found = await asyncio.gather(*(score(engine, text, number=n) for n, text in enumerate(texts)))
        assert engine.name == "embedding-head"
    assert [positive > 0.5 for _, positive in found] == [True, False] * 20
    assert all(sum(each) == pytest.approx(1) for each in found)


async def test_a_text_longer_than_the_encoder_reads_is_judged_by_all_of_it(tmp_path: Path) -> None:
    async with running(head(tmp_path)) as engine:
        begun = "It was a day in May and we went there by train. " * 40
        _, good = await score(engine, begun + " ".join(GOOD) * 8)
        _, bad = await score(engine, begun + " ".join(BAD) * 8)
    assert good > bad


async def test_labels_come_in_the_order_asked_for_and_others_are_refused_by_name(tmp_path: Path) -> None:
    async with running(head(tmp_path)) as engine:
        one, other = await score(engine, GOOD[0], "Positive", "NEGATIVE")
        assert one > other
        with pytest.raises(Invalid, match="knows the labels negative, positive") as caught:
            await score(engine, GOOD[0], "late", "broken")
        assert (caught.value.code, caught.value.field) == ("unknown_label", "labels")


async def test_a_classifier_writes_nothing(tmp_path: Path) -> None:
    async with running(head(tmp_path)) as engine:
        with pytest.raises(Invalid, match="classifies texts, it writes none"):
            engine.generate(GenerationRequest("r", Chat((("user", "Hello"),))))


async def test_a_transformers_classifier_answers_under_the_names_of_its_yaml(tmp_path: Path) -> None:
    labels = [{"name": "neutral", "output": "LABEL_1"}, {"name": "bad", "output": "label_0"}, "LABEL_2"]
    async with running(spec(tiny_bert(tmp_path), labels)) as engine:
        whole = await score(engine, "a good film", "bad", "neutral", "LABEL_2")
        again, other = await asyncio.gather(
            score(engine, "a good film", "neutral", "bad", "LABEL_2"),
            score(engine, "bad film " * 60, "neutral", "bad", number=1),
        )
        assert engine.name == "sequence-classification"
    assert sum(whole) == pytest.approx(1)
    assert (again[1], again[0], again[2]) == pytest.approx(whole, abs=1e-4)
    assert sum(other) == pytest.approx(1)


async def test_a_class_that_the_model_does_not_have_is_named_with_those_it_has(tmp_path: Path) -> None:
    async with running(spec(tiny_bert(tmp_path), ["LABEL_0", "good"])) as engine:
        with pytest.raises(Retryable, match="no class 'good', it has LABEL_0, LABEL_1, LABEL_2"):
            await score(engine, "a good film", "LABEL_0", "good")
