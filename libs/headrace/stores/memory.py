"""Conversation memory: what was asked and answered before, for the next turn of the same conversation."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Protocol, cast

import orjson
import redis.asyncio

from headrace.stores.redis import key, reaching

_STORE: Final = "conversation memory"

# One script, so that a redelivered turn can neither be appended twice nor half: what a turn said goes into the hash,
# its place in the log into the sorted set, and the first in the log leave both. A turn that comes late takes its own
# place, and none where those that followed it have filled the memory.
_APPEND: Final = """
if redis.call('ZADD', KEYS[2], 'NX', ARGV[5], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3]) do
    redis.call('HDEL', KEYS[1], redis.call('ZPOPMIN', KEYS[2])[1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer."""

    turn_id: str
    question: str
    answer: str


class ConversationMemory(Protocol):
    """What a conversation remembers."""

    async def recent(self, tenant: str, conversation_id: str, limit: int) -> list[Exchange]:
        """The last `limit` exchanges, oldest first; raises `Retryable` where they cannot be read."""
        ...

    async def append(self, tenant: str, conversation_id: str, exchange: Exchange, position: int) -> None:
        """Remember an exchange, once per turn id, in the order of the log; `Retryable` where it cannot be written."""
        ...


class RedisConversationMemory:
    """Memory in Redis: bounded to `keep` exchanges, forgotten `ttl_seconds` after the last one."""

    def __init__(self, client: redis.asyncio.Redis, *, keep: int = 50, ttl_seconds: int = 7 * 24 * 3600) -> None:
        self._client = client
        self._keep = keep
        self._ttl_seconds = ttl_seconds

    async def recent(self, tenant: str, conversation_id: str, limit: int) -> list[Exchange]:
        if limit <= 0:
            return []
        exchanges, order = _keys(tenant, conversation_id)
        with reaching(_STORE):
            turn_ids = await cast("Awaitable[list[bytes]]", self._client.zrange(order, -limit, -1))
            if not turn_ids:
                return []
            values = await cast("Awaitable[list[bytes | None]]", self._client.hmget(exchanges, turn_ids))
        # A value may have left between the two reads: another turn has pushed it out.
        return [
            Exchange(turn_id.decode(), *orjson.loads(value))
            for turn_id, value in zip(turn_ids, values, strict=True)
            if value is not None
        ]

    async def append(self, tenant: str, conversation_id: str, exchange: Exchange, position: int) -> None:
        said = orjson.dumps((exchange.question, exchange.answer))
        arguments = (exchange.turn_id, said, self._keep, self._ttl_seconds, position)
        with reaching(_STORE):
            await cast("Awaitable[object]", self._client.eval(_APPEND, 2, *_keys(tenant, conversation_id), *arguments))

    async def forget(self, tenant: str, conversation_id: str) -> None:
        """Erase a conversation, for the one whose data it is."""
        with reaching(_STORE):
            await self._client.delete(*_keys(tenant, conversation_id))


def _keys(tenant: str, conversation_id: str) -> tuple[str, str]:
    return key("memory", tenant, conversation_id), key("memory-places", tenant, conversation_id)
