"""The response cache as a handler uses it: a look-up, one maker per answer, and no harm when Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Retryable
from headrace.telemetry import metrics
from services.inference.ports import Cache

log = structlog.get_logger()

# How often a process looks whether another has finished the answer that both want.
_LOOK_SECONDS: Final = 0.1


@dataclass(slots=True)
class Place:
    """Where an answer is, or will be. `found` is None for the one who makes it."""

    found: bytes | None = None
    made: bytes | None = None


class Answers:
    """One maker at a time for each fingerprint: within the process by a flag, between processes by a lock in Redis."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._making: dict[str, asyncio.Future[bytes | None]] = {}

    @asynccontextmanager
    async def place(self, fingerprint: str | None) -> AsyncIterator[Place]:
        """The answer's place; waits while somebody else makes it. Without a fingerprint there is nothing to share."""
        if fingerprint is None:
            metrics.CACHE_REQUESTS.labels("bypass").inc()
            yield Place()
            return
        found = await self._find_or_begin(fingerprint)
        if found is not None:
            yield Place(found)
            return
        place = Place()
        making = self._making[fingerprint] = asyncio.get_running_loop().create_future()
        try:
            yield place
        finally:
            if self._making.get(fingerprint) is making:
                del self._making[fingerprint]
            making.set_result(place.made)
            await self._end(fingerprint, place.made)

    async def _find_or_begin(self, fingerprint: str) -> bytes | None:
        """The answer, or None when it is ours to make."""
        outcome = "hit"
        while True:
            if (making := self._making.get(fingerprint)) is not None:
                outcome = "joined"
                # Whoever stops waiting must not stop the others.
                if (made := await asyncio.shield(making)) is not None:
                    metrics.CACHE_REQUESTS.labels(outcome).inc()
                    return made
                continue
            try:
                if (found := await self._cache.get(fingerprint)) is not None:
                    metrics.CACHE_REQUESTS.labels(outcome).inc()
                    return found
                begun = fingerprint not in self._making and await self._cache.begin(fingerprint)
            except Retryable as exc:
                log.warning("answering without the cache", reason=str(exc))
                metrics.CACHE_REQUESTS.labels("unavailable").inc()
                return None
            if begun:
                metrics.CACHE_REQUESTS.labels("miss").inc()
                return None
            if fingerprint not in self._making:
                outcome = "joined"
                await self._clock.sleep(_LOOK_SECONDS)

    async def _end(self, fingerprint: str, made: bytes | None) -> None:
        try:
            if made is not None:
                await self._cache.put(fingerprint, made)
            await self._cache.end(fingerprint)
        except Retryable as exc:
            log.warning("answer not cached", reason=str(exc))
