"""The core of a trained head: a sentence vector by the encoder, word n-grams, one linear layer."""

from collections.abc import Iterable
from pathlib import Path

from headrace.messaging.errors import Fatal
from headrace.models.classifier.features import ngrams
from headrace.models.classifier.head import Head
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.waiting_texts import WaitingTexts
from services.inference.adapters.engines.wire import Classify, Event, Scored


class EmbeddingHeadCore:
    """Milliseconds a text on a CPU."""

    device = "CPU"

    def __init__(self, spec: ModelSpec, folder: Path, *, threads: int) -> None:
        if not isinstance(spec.encoder, ModelSpec):
            raise Fatal(f"model {spec.name} names no encoder: add `encoder` to its YAML")
        self._head = Head.load(folder)
        self._encoder = Embedder.load(prepare(spec.encoder), threads=threads, dtype=spec.encoder.dtype)
        if self._head.vector.shape[1] != self._encoder.dimensions:
            raise Fatal(
                f"model {spec.name} was trained on vectors of {self._head.vector.shape[1]} dimensions, its encoder "
                f"{spec.encoder.name} gives {self._encoder.dimensions}: name the one that it was trained with"
            )
        self.labels = self._head.labels
        self._waiting = WaitingTexts()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def classify(self, request: Classify) -> None:
        self._waiting.add(request)

    def cancel(self, request_id: str) -> None:
        self._waiting.drop(request_id)

    def step(self) -> Iterable[Event]:
        ids, texts = zip(*self._waiting.take(), strict=True)
        vectors = self._encoder.embed_whole(texts)
        found = self._head.log_probabilities([ngrams(text) for text in texts], vectors)
        for request_id, text, row in zip(ids, texts, found, strict=True):
            yield Scored(request_id, [[float(value)] for value in row], self._encoder.count(text))

    def close(self) -> None:
        """Nothing runs between steps."""
