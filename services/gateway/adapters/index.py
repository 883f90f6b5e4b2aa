"""The turn index in Redis: which turns exist and where their replies lie. It forgets after an hour."""

import uuid
from typing import Final

import orjson
from redis.asyncio import Redis

from headrace.stores.redis import key, reaching
from services.gateway.domain.places import Offsets, Place
from services.gateway.ports import Known

TTL_SECONDS: Final = 3600
# Longer than the publisher waits for Kafka: a claim whose gateway died frees its id after this.
CLAIM_SECONDS: Final = 45


class RedisTurnIndex:
    """Shared by all gateways of a tenant. Raises `Retryable` where Redis cannot be reached."""

    def __init__(self, redis: Redis, tenant: str) -> None:
        self._redis = redis
        self._tenant = tenant
        self._claimant = uuid.uuid4().hex

    async def claim(self, turn_id: str, place: Place) -> Known | None:
        """Enter a turn, or return what is there.

        A claim of our own is nobody's: its answer was lost, and it was sent again by the client or by whoever asks.
        """
        claim = _dump(place, accepted=False, claimant=self._claimant)
        with reaching("turn index"):
            raw = await self._redis.set(self._entry(turn_id), claim, nx=True, get=True, ex=CLAIM_SECONDS)
        known = _load(raw)
        return None if known and not known.accepted and _claimant(raw) == self._claimant else known

    async def confirm(self, turn_id: str, place: Place) -> None:
        """Keep the turn for an hour."""
        with reaching("turn index"):
            await self._redis.set(
                self._entry(turn_id), _dump(place, accepted=True, claimant=self._claimant), ex=TTL_SECONDS
            )

    async def release(self, turn_id: str) -> None:
        """Forget the turn."""
        with reaching("turn index"):
            await self._redis.delete(self._entry(turn_id))

    async def find(self, turn_id: str) -> Known | None:
        """Look the turn up."""
        with reaching("turn index"):
            return _load(await self._redis.get(self._entry(turn_id)))

    async def watch(self, turn_id: str, gateway: str) -> None:
        """Add a gateway to the turn's watchers."""
        with reaching("turn index"):
            async with self._redis.pipeline() as pipe:
                pipe.sadd(self._watchers(turn_id), gateway)
                pipe.expire(self._watchers(turn_id), TTL_SECONDS)
                await pipe.execute()

    async def unwatch(self, turn_id: str, gateway: str) -> None:
        """Take a gateway from the turn's watchers."""
        with reaching("turn index"):
            await self._redis.srem(self._watchers(turn_id), gateway)

    async def watched(self, turn_id: str) -> bool:
        """Whether any watcher is left. One that was killed stays: its turn then runs to its deadline."""
        with reaching("turn index"):
            return bool(await self._redis.exists(self._watchers(turn_id)))

    def _entry(self, turn_id: str) -> str:
        return key("turn", self._tenant, turn_id)

    def _watchers(self, turn_id: str) -> str:
        return key("watchers", self._tenant, turn_id)


def _dump(place: Place, *, accepted: bool, claimant: str) -> bytes:
    return orjson.dumps([place.partition, place.start.deltas, place.start.responses, accepted, claimant])


def _load(raw: object) -> Known | None:
    if not isinstance(raw, bytes | str):
        return None
    partition, deltas, responses, accepted, _ = orjson.loads(raw)
    return Known(Place(partition, Offsets(deltas, responses)), accepted=accepted)


def _claimant(raw: object) -> str:
    return str(orjson.loads(raw)[-1]) if isinstance(raw, bytes | str) else ""
