"""What a core is: tokens in, tokens out, one thread, one step at a time. It knows no text, no asyncio and no Kafka."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from headrace.messaging.errors import Fatal
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.wire import Add, Event, Score


class Core(Protocol):
    """Runs in its own process, since a step may hold the interpreter lock from its first to its last instruction."""

    device: str

    def add(self, request: Add) -> None:
        """Take on a generation."""
        ...

    def score(self, request: Score) -> None:
        """Take on a scoring."""
        ...

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


def open_core(name: str, spec: ModelSpec, folder: Path, *, eos_id: int | None, threads: int) -> Core:
    """Load the model into the named core; each imports its library only here."""
    maker = _CORES.get(name)
    if maker is None:
        raise Fatal(f"model {spec.name}: no engine {name!r}: use one of {', '.join(_CORES)}")
    return maker(spec, folder, eos_id, threads)


def _openvino(spec: ModelSpec, folder: Path, eos_id: int | None, threads: int) -> Core:
    from services.inference.adapters.engines.openvino import OpenVinoCore

    return OpenVinoCore(spec, folder, eos_id=eos_id, threads=threads)


def _transformers(spec: ModelSpec, folder: Path, eos_id: int | None, threads: int) -> Core:
    from services.inference.adapters.engines.transformers import TransformersCore

    return TransformersCore(spec, folder, eos_id=eos_id, threads=threads)


def _mock(spec: ModelSpec, folder: Path, _eos_id: int | None, _threads: int) -> Core:
    from services.inference.adapters.engines.mock import MockCore

    return MockCore(spec, folder)


_CORES: dict[str, Callable[[ModelSpec, Path, int | None, int], Core]] = {
    "openvino": _openvino,
    "transformers": _transformers,
    "mock": _mock,
}
