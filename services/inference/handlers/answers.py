"""The response cache as a handler uses it: a look-up, one maker per answer, and no harm when Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Retryable
from headrace.stores.answers import AnswerKey, Outcome
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
    """One maker at a time for each answer: within the process by a flag, between processes by a lock in Redis."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._making: dict[AnswerKey, asyncio.Future[bytes | None]] = {}

    @asynccontextmanager
    async def place(self, answer: AnswerKey | None) -> AsyncIterator[Place]:
        """The answer's place; waits while somebody else makes it. Without a key there is nothing to share."""
        if answer is None:
            metrics.CACHE_REQUESTS.labels("bypass").inc()
            yield Place()
            return
        found, outcome = await self._find_or_begin(answer)
        metrics.CACHE_REQUESTS.labels(outcome or "unavailable").inc()
        if found is not None:
            yield Place(found)
            await self._count(answer, outcome)
            return
        place = Place()
        making = self._making[answer] = asyncio.get_running_loop().create_future()
        try:
            yield place
        finally:
            if self._making.get(answer) is making:
                del self._making[answer]
            making.set_result(place.made)
            await self._end(answer, place.made)
        await self._count(answer, outcome)

    async def _find_or_begin(self, answer: AnswerKey) -> tuple[bytes | None, Outcome | None]:
        """The answer, or None when it is ours to make; and what came of looking, None when nobody could look."""
        outcome: Outcome = "hit"
        while True:
            if (making := self._making.get(answer)) is not None:
                outcome = "joined"
                # Whoever stops waiting must not stop the others.
                if (made := await asyncio.shield(making)) is not None:
                    return made, outcome
                continue
            try:
                if (found := await self._cache.get(answer)) is not None:
                    return found, outcome
                begun = answer not in self._making and await self._cache.begin(answer)
            except Retryable as exc:
                log.warning("answering without the cache", reason=str(exc))
                return None, None
            if begun:
                return None, "miss"
            if answer not in self._making:
                outcome = "joined"
                await self._clock.sleep(_LOOK_SECONDS)

    async def _count(self, answer: AnswerKey, outcome: Outcome | None) -> None:
        """For `headrace cache stats`, which knows tenants; once the answer is out, so that nobody waits for it."""
        if outcome is not None:
            with suppress(Retryable):
                await self._cache.count(answer, outcome)

    async def _end(self, answer: AnswerKey, made: bytes | None) -> None:
        try:
            if made is not None:
                await self._cache.put(answer, made)
            await self._cache.end(answer)
        except Retryable as exc:
            log.warning("answer not cached", reason=str(exc))
