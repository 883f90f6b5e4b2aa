"""Looks once a second how much stands in front of the model."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from headrace.messaging.errors import Retryable
from services.gateway.domain.backlog import Backlog
from services.gateway.ports import BacklogSource

log = structlog.get_logger()

_EVERY_S: Final = 1.0
_RECONNECT_S: Final = 5.0


class Survey:
    """Keeps a `Backlog` up to date. Without it admission goes by its own measurements alone."""

    def __init__(self, source: BacklogSource, backlog: Backlog) -> None:
        self._source = source
        self._backlog = backlog
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="survey")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                async with self._source.open() as reader:
                    while True:
                        reading = await reader.read()
                        self._backlog.note(monotonic(), lag=reading.lag, passed=reading.passed)
                        await asyncio.sleep(_EVERY_S)
            except Retryable as exc:
                log.info("the backlog cannot be read, trying again", reason=str(exc))
            await asyncio.sleep(_RECONNECT_S)
