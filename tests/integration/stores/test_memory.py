"""Conversation memory on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import redis.asyncio

from headrace.messaging.errors import Retryable
from headrace.stores.memory import Exchange, RedisConversationMemory
from headrace.stores.redis import connect

pytestmark = pytest.mark.integration


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with connect(valkey) as connected:
        yield connected


@pytest.fixture
def conversation() -> str:
    return str(uuid4())


async def test_exchanges_come_back_oldest_first_and_no_more_than_asked(
    client: redis.asyncio.Redis, conversation: str
) -> None:
    memory = RedisConversationMemory(client)
    for number in range(4):
        await memory.append("acme", conversation, Exchange(f"turn-{number}", f"q{number}", f"a{number} ä"), number)
    assert await memory.recent("acme", conversation, 2) == [
        Exchange("turn-2", "q2", "a2 ä"),
        Exchange("turn-3", "q3", "a3 ä"),
    ]
    assert await memory.recent("acme", conversation, 0) == []


async def test_a_redelivered_turn_is_remembered_once_and_as_it_was_first(
    client: redis.asyncio.Redis, conversation: str
) -> None:
    memory = RedisConversationMemory(client)
    await asyncio.gather(*(memory.append("acme", conversation, Exchange("turn", "q", "a"), 1) for _ in range(10)))
    await memory.append("acme", conversation, Exchange("turn", "q", "another"), 1)
    assert await memory.recent("acme", conversation, 10) == [Exchange("turn", "q", "a")]


async def test_memory_is_bounded(client: redis.asyncio.Redis, conversation: str) -> None:
    memory = RedisConversationMemory(client, keep=3)
    for number in range(10):
        await memory.append("acme", conversation, Exchange(f"turn-{number}", "q", "a"), number)
    assert [exchange.turn_id for exchange in await memory.recent("acme", conversation, 10)] == [
        "turn-7",
        "turn-8",
        "turn-9",
    ]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (1, 0, 2, 4, 3), (2, 3, 4, 0, 1, 0, 4)])
async def test_memory_is_in_the_order_of_the_log_in_whatever_order_it_is_written(
    client: redis.asyncio.Redis, conversation: str, order: tuple[int, ...]
) -> None:
    """INVARIANT: a turn that comes late takes its own place, and pushes out none that followed it."""
    memory = RedisConversationMemory(client, keep=3)
    for number in order:
        await memory.append("acme", conversation, Exchange(f"turn-{number}", "q", "a"), number)
    assert [exchange.turn_id for exchange in await memory.recent("acme", conversation, 10)] == [
        "turn-2",
        "turn-3",
        "turn-4",
    ]


async def test_no_tenant_reads_another_ones_conversation(client: redis.asyncio.Redis, conversation: str) -> None:
    """INVARIANT: parts of a key are escaped, so that ("a:b", "c") and ("a", "b:c") are not the same conversation."""
    memory = RedisConversationMemory(client)
    await memory.append("a:b", conversation, Exchange("turn", "q", "a"), 1)
    assert await memory.recent("a", f"b:{conversation}", 10) == []


async def test_memory_ends_by_itself_and_on_request(client: redis.asyncio.Redis, conversation: str) -> None:
    memory = RedisConversationMemory(client, ttl_seconds=60)
    await memory.append("acme", conversation, Exchange("turn", "q", "a"), 1)
    names = [name async for name in client.scan_iter(f"headrace:memory*{conversation}*")]
    assert len(names) == 2
    for name in names:
        assert 0 < await client.ttl(name) <= 60
    await memory.forget("acme", conversation)
    assert await memory.recent("acme", conversation, 10) == []


async def test_without_redis_memory_is_retryable() -> None:
    async with connect("redis://127.0.0.1:1/0") as nowhere:
        memory = RedisConversationMemory(nowhere)
        with pytest.raises(Retryable, match=r"conversation memory.*HEADRACE_REDIS_URL"):
            await memory.recent("acme", "conversation", 3)
        with pytest.raises(Retryable):
            await memory.append("acme", "conversation", Exchange("turn", "q", "a"), 1)
