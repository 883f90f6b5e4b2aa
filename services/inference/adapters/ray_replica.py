"""What runs in a replica on Ray: one engine. Imported by workers, so it knows nothing of the service around it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog

from headrace.messaging.errors import Retryable
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.opening import open_engine
from services.inference.domain.presence import Presence
from services.inference.ports import Chunk, EmbedRequest, GenerationRequest, ScoreRequest, Scores, Vectors

log = structlog.get_logger()


class Replica:
    """Fetches the weights to wherever it was placed, and serves them until Serve takes it down.

    A caller says every now and then that it is there. Ray tells a replica when a caller closes a stream, and says
    nothing when the caller's process is gone: without this its answers would be generated to their end.
    """

    def __init__(self, spec_json: str, *, gpu: bool, absence_seconds: float) -> None:
        spec = ModelSpec.model_validate_json(spec_json)
        folder = prepare(spec)
        self._engine = open_engine(spec, folder, gpu=gpu)
        self._presence = Presence(absence_seconds)
        self._watching: asyncio.Task[None] | None = None

    async def name(self) -> str:
        """Which engine it became; answers once the model is loaded."""
        await self._engine.start()
        return self._engine.name

    async def generate(self, caller: str, request: GenerationRequest) -> AsyncIterator[Chunk]:
        """Stream the answer; Serve cancels this when the caller closes it, which frees the slot."""
        self._expect(caller)
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def score(self, caller: str, request: ScoreRequest) -> Scores:
        """Score the labels."""
        self._expect(caller)
        return await self._engine.score(request)

    async def embed(self, caller: str, request: EmbedRequest) -> Vectors:
        """Make vectors of texts."""
        self._expect(caller)
        return await self._engine.embed(request)

    async def cancel(self, request_id: str) -> None:
        """End a request."""
        await self._engine.cancel(request_id)

    async def present(self, caller: str) -> None:
        """The caller is there."""
        self._presence.heard(caller, _now())

    async def running(self) -> int:
        """Requests that hold a slot now."""
        return self._engine.running

    async def waiting(self) -> int:
        """Requests that wait for a slot."""
        return self._engine.waiting

    async def processes(self) -> tuple[int, int | None]:
        """The replica's process and its engine's: what an operator looks for on the machine."""
        return os.getpid(), self._engine.core_pid

    async def check_health(self) -> None:
        """Serve replaces a replica whose model cannot be loaded again."""
        try:
            await self._engine.start()
        except Retryable as exc:
            raise RuntimeError(str(exc)) from exc

    def _expect(self, caller: str) -> None:
        self._presence.heard(caller, _now())
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="presence")

    async def _watch(self) -> None:
        while (pause := self._presence.next_look(_now())) is not None:
            await asyncio.sleep(pause)
            for caller in self._presence.gone(_now()):
                log.warning("caller gone, its requests end", caller=caller)
                self._engine.abandon(caller)


def _now() -> float:
    return asyncio.get_running_loop().time()
