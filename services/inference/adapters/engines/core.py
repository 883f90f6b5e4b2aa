"""What a core is: one thread, one step at a time. It knows no asyncio and no Kafka."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from headrace.messaging.errors import Fatal
from services.inference.adapters.engines.lora import Adapter
from services.inference.adapters.engines.wire import Add, Classify, Embed, Event, Score, Start


class Core(Protocol):
    """Runs in its own process, since a step may hold the interpreter lock from its first to its last instruction."""

    device: str

    def cancel(self, request_id: str) -> None:
        """Forget a request; an unknown id is no error."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a step would have something to do."""
        ...

    def step(self) -> Iterable[Event]:
        """Go one step further with all requests together; may wait for the next token, not longer."""
        ...

    def close(self) -> None:
        """Let go of threads and memory."""
        ...


@runtime_checkable
class WritingCore(Core, Protocol):
    """A chat model: tokens in, tokens out."""

    def add(self, request: Add) -> None:
        """Take on a generation."""
        ...

    def score(self, request: Score) -> None:
        """Take on a scoring."""
        ...


@runtime_checkable
class ClassifyingCore(Core, Protocol):
    """A classifier: texts in, probabilities of its own classes out."""

    labels: tuple[str, ...]

    def classify(self, request: Classify) -> None:
        """Take on a text."""
        ...


@runtime_checkable
class EmbeddingCore(Core, Protocol):
    """An encoder: texts in, vectors out."""

    def embed(self, request: Embed) -> None:
        """Take on some texts."""
        ...


def open_core(start: Start, *, threads: int) -> Core:
    """Load the model into the named core; each imports its library only here."""
    maker = _CORES.get(start.core)
    if maker is None:
        raise Fatal(f"model {start.spec.name}: no engine {start.core!r}: use one of {', '.join(_CORES)}")
    return maker(start, Path(start.folder), threads)


def _openvino(start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.openvino import OpenVinoCore

    return OpenVinoCore(start.spec, folder, eos_id=start.eos_id, threads=threads)


def _transformers(start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.transformers import TransformersCore

    return TransformersCore(start.spec, folder, eos_id=start.eos_id, threads=threads, adapter=_adapter(start))


def _vllm(start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.vllm import VllmCore

    return VllmCore(start.spec, folder, eos_id=start.eos_id, threads=threads, adapter=_adapter(start))


def _mock(start: Start, folder: Path, _threads: int) -> Core:
    from services.inference.adapters.engines.mock import MockCore

    return MockCore(start.spec, folder)


def _embedding_head(start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.embedding_head import EmbeddingHeadCore

    return EmbeddingHeadCore(start.spec, folder, threads=threads)


def _sequence_classification(start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.sequence_classification import SequenceClassificationCore

    return SequenceClassificationCore(start.spec, folder, threads=threads)


def _sentence_encoder(_start: Start, folder: Path, threads: int) -> Core:
    from services.inference.adapters.engines.sentence_encoder import SentenceEncoderCore

    return SentenceEncoderCore(folder, threads=threads)


def _adapter(start: Start) -> Adapter | None:
    return Adapter.read(Path(start.adapter)) if start.adapter else None


_CORES: dict[str, Callable[[Start, Path, int], Core]] = {
    "openvino": _openvino,
    "transformers": _transformers,
    "vllm": _vllm,
    "mock": _mock,
    "embedding-head": _embedding_head,
    "sequence-classification": _sequence_classification,
    "sentence-encoder": _sentence_encoder,
}
