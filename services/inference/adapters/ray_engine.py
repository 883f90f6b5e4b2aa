"""A model behind a Serve handle: requests there, pieces of answers back, and a sign of life for as long as one runs."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog

from headrace.messaging.errors import HeadraceError, Retryable
from headrace.models.spec import ModelSpec
from services.inference.ports import Chunk, EmbedRequest, GenerationRequest, ScoreRequest, Scores, Vectors

log = structlog.get_logger()

Request = TypeVar("Request", GenerationRequest, ScoreRequest, EmbedRequest)

# How often a caller says that it is there, and how long it waits to be heard.
_PRESENT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 2.0


class RayEngine:
    """The `Engine` behind a Serve handle."""

    def __init__(self, handle: Any, name: str, spec: ModelSpec) -> None:
        self._handle = handle
        self._name = name
        self._spec = spec
        # Names this process to the replicas; a part of every request's name, since two processes may ask for one turn.
        self._caller = f"{secrets.token_hex(8)}:"
        self._asking = 0
        self._saying: asyncio.Task[None] | None = None
        self.lost = False

    @property
    def name(self) -> str:
        return self._name

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        response = self._handle.options(stream=True).generate.remote(self._caller, self._named(request))
        try:
            with self._present():
                async for chunk in response:
                    yield chunk
        except Exception as exc:
            raise self._told(exc) from exc
        finally:
            # Ends the replica's generator, whose end frees the slot; nothing happens where it has ended.
            response.cancel()

    async def score(self, request: ScoreRequest) -> Scores:
        scores: Scores = await self._answer(self._handle.score.remote(self._caller, self._named(request)))
        return scores

    async def embed(self, request: EmbedRequest) -> Vectors:
        vectors: Vectors = await self._answer(self._handle.embed.remote(self._caller, self._named(request)))
        return vectors

    async def cancel(self, request_id: str) -> None:
        await self._handle.broadcast("cancel", self._caller + request_id).results_async(
            timeout_s=_ANSWER_SECONDS, return_exceptions=True
        )

    async def close(self) -> None:
        """Say no more that this process is there."""
        if self._saying is not None:
            self._saying.cancel()
            await asyncio.gather(self._saying, return_exceptions=True)

    async def _answer(self, response: Any) -> Any:
        try:
            with self._present():
                return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        except Exception as exc:
            raise self._told(exc) from exc

    def _named(self, request: Request) -> Request:
        return replace(request, request_id=self._caller + request.request_id)

    @contextmanager
    def _present(self) -> Iterator[None]:
        """While this runs, every replica hears that this process is there."""
        self._asking += 1
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(self._say(), name=f"presence at {self._spec.name}")
        try:
            yield
        finally:
            self._asking -= 1

    async def _say(self) -> None:
        while self._asking:
            await asyncio.sleep(_PRESENT_SECONDS)
            try:
                await self._handle.broadcast("present", self._caller).results_async(
                    timeout_s=_ANSWER_SECONDS, return_exceptions=True
                )
            except Exception as exc:  # noqa: BLE001 - whatever Ray raises: a replica that is there hears the next one
                log.warning("presence not told", model=self._spec.name, error=type(exc).__name__)

    async def running(self) -> int:
        """Requests that hold a slot now."""
        count: int = await self._handle.running.remote()
        return count

    async def waiting(self) -> int:
        """Requests that wait for a slot."""
        count: int = await self._handle.waiting.remote()
        return count

    async def processes(self) -> tuple[int, int | None]:
        """The replica's process and its engine's, on the replica's node."""
        found: tuple[int, int | None] = await self._handle.processes.remote()
        return found

    def _told(self, exc: Exception) -> HeadraceError:
        """The replica's own error, or the news that it is gone; whatever else is raised stays what it is."""
        from ray.exceptions import RayError, RayTaskError
        from ray.serve.exceptions import BackPressureError, RayServeException

        if isinstance(exc, RayTaskError) and isinstance(exc.cause, HeadraceError):
            return exc.cause
        if isinstance(exc, BackPressureError):
            full = f"model {self._spec.name} is full: its queue of {self._spec.limits.max_queue} is taken"
            return Retryable(full, retry_after_ms=1000)
        if isinstance(exc, RayError | RayServeException):
            self.lost = True
            return Retryable(f"model {self._spec.name}: replica gone ({type(exc).__name__}); Serve starts another")
        raise exc
