"""The registry's embedding model, off the event loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from headrace.messaging.errors import Fatal
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.grounding.ports import Vector

# A question waits for at most this many passages.
_BATCH: Final = 8


class ModelEmbeddings:
    """One encoder on one thread of its own; the encoder itself uses `threads` cores."""

    def __init__(self, spec: ModelSpec, *, threads: int) -> None:
        if spec.task != "embed":
            raise Fatal(
                f"{spec.name} is a {spec.task} model: set HEADRACE_GROUNDING_EMBEDDING_MODEL to one with task embed"
            )
        self._spec = spec
        self._threads = threads
        self._embedder: Embedder | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        # One batch of one document in the worker's queue at a time: questions go in between.
        self._indexing = asyncio.Lock()

    @property
    def revision(self) -> str:
        """Model and revision."""
        return f"{self._spec.name}@{self._spec.revision}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._loaded().dimensions

    async def __aenter__(self) -> Self:
        self._embedder = await asyncio.get_running_loop().run_in_executor(self._worker, self._load)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._embedder = None

    def count(self, text: str) -> int:
        """Tokens of a text for this model."""
        return self._loaded().count(text)

    async def question(self, windows: Sequence[str]) -> list[Vector]:
        """The vectors of a question's windows."""
        return await self._embed(windows)

    async def passages(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of passages, in their order."""
        vectors: list[Vector] = []
        for first in range(0, len(texts), _BATCH):
            async with self._indexing:
                vectors += await self._embed(texts[first : first + _BATCH])
        return vectors

    async def _embed(self, texts: Sequence[str]) -> list[Vector]:
        matrix = await asyncio.get_running_loop().run_in_executor(self._worker, self._loaded().embed, texts)
        rows: list[list[float]] = matrix.tolist()
        return list(rows)

    def _load(self) -> Embedder:
        embedder = Embedder.load(prepare(self._spec), threads=self._threads, dtype=self._spec.dtype)
        # The first call compiles kernels: no turn should wait for that.
        embedder.embed(["warm-up"])
        return embedder

    def _loaded(self) -> Embedder:
        if self._embedder is None:
            raise Fatal("the embedding model is not loaded: enter the adapter before its first use")
        return self._embedder
