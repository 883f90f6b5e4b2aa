"""What runs in a replica on Ray: one engine. Imported by workers, so it knows nothing of the service around it."""

import os
from collections.abc import AsyncIterator

from headrace.messaging.errors import Retryable
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hardware import choose_core
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.ports import Chunk, GenerationRequest, ScoreRequest, Scores


class Replica:
    """Fetches the weights to wherever it was placed, and serves them until Serve takes it down."""

    def __init__(self, spec_json: str, *, gpu: bool) -> None:
        spec = ModelSpec.model_validate_json(spec_json)
        folder = prepare(spec)
        self._engine = ProcessEngine(spec, folder, core=choose_core(spec, folder, gpu=gpu))

    async def name(self) -> str:
        """Which engine it became; answers once the model is loaded."""
        await self._engine.start()
        return self._engine.name

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Chunk]:
        """Stream the answer; Serve cancels this when the caller goes, which frees the slot."""
        async for chunk in self._engine.generate(request):
            yield chunk

    async def score(self, request: ScoreRequest) -> Scores:
        """Score the labels."""
        return await self._engine.score(request)

    async def cancel(self, request_id: str) -> None:
        """End a request."""
        await self._engine.cancel(request_id)

    async def running(self) -> int:
        """Requests that hold a slot now."""
        return self._engine.running

    async def processes(self) -> tuple[int, int | None]:
        """The replica's process and its engine's: what an operator looks for on the machine."""
        return os.getpid(), self._engine.core_pid

    async def check_health(self) -> None:
        """Serve replaces a replica whose model cannot be loaded again."""
        try:
            await self._engine.start()
        except Retryable as exc:
            raise RuntimeError(str(exc)) from exc
