"""Masks on a real Valkey."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import redis.asyncio

from headrace.messaging.errors import Retryable
from headrace.stores.masks import RedisMaskStore
from headrace.stores.redis import connect

pytestmark = pytest.mark.integration


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with connect(valkey) as connected:
        yield connected


async def test_masks_come_back_to_their_turn_only(client: redis.asyncio.Redis) -> None:
    store, turn_id = RedisMaskStore(client), str(uuid4())
    await store.put("acme", turn_id, {"[EMAIL_1]": "zoë@example.org"}, 60)
    assert await store.get("acme", turn_id) == {"[EMAIL_1]": "zoë@example.org"}
    assert await store.get("other", turn_id) == {}
    assert await store.get("acme", str(uuid4())) == {}


async def test_putting_again_replaces_and_nothing_outlives_the_turn(client: redis.asyncio.Redis) -> None:
    store, turn_id = RedisMaskStore(client), str(uuid4())
    await store.put("acme", turn_id, {"[EMAIL_1]": "a@example.org", "[EMAIL_2]": "b@example.org"}, 60)
    await store.put("acme", turn_id, {"[EMAIL_1]": "a@example.org"}, 60)
    assert await store.get("acme", turn_id) == {"[EMAIL_1]": "a@example.org"}
    names = [name async for name in client.scan_iter(f"headrace:masks*{turn_id}*")]
    assert [0 < await client.ttl(name) <= 60 for name in names] == [True]
    await store.put("acme", turn_id, {}, 60)
    assert await store.get("acme", turn_id) == {}


async def test_without_redis_masks_are_retryable() -> None:
    async with connect("redis://127.0.0.1:1/0") as nowhere:
        with pytest.raises(Retryable, match="mask store"):
            await RedisMaskStore(nowhere).get("acme", "turn")
