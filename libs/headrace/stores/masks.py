"""What masks stand for: kept for the turn's lifetime, never on a topic."""

from collections.abc import Awaitable, Mapping
from typing import Final, Protocol, cast

import redis.asyncio

from headrace.stores.redis import key, reaching

_STORE: Final = "mask store"


class MaskStore(Protocol):
    """From mask to the value that it hides."""

    async def put(self, tenant: str, turn_id: str, mapping: Mapping[str, str], ttl_seconds: int) -> None:
        """Replace the turn's masks; raises `Retryable` where they cannot be written."""
        ...

    async def get(self, tenant: str, turn_id: str) -> dict[str, str]:
        """The turn's masks, empty where there are none (any more); raises `Retryable` where they cannot be read."""
        ...


class RedisMaskStore:
    """Masks in Redis, a hash a turn."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def put(self, tenant: str, turn_id: str, mapping: Mapping[str, str], ttl_seconds: int) -> None:
        name = key("masks", tenant, turn_id)
        with reaching(_STORE):
            # One transaction: a crash never leaves values behind without an end to their life.
            async with self._client.pipeline(transaction=True) as transaction:
                transaction.delete(name)
                if mapping:
                    transaction.hset(name, items=[part for pair in mapping.items() for part in pair])
                    transaction.expire(name, ttl_seconds)
                await transaction.execute()

    async def get(self, tenant: str, turn_id: str) -> dict[str, str]:
        with reaching(_STORE):
            found = await cast("Awaitable[dict[bytes, bytes]]", self._client.hgetall(key("masks", tenant, turn_id)))
        return {mask.decode(): value.decode() for mask, value in found.items()}
