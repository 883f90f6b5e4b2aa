"""The turn index against a real server."""

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from headrace.embedded.ports import free_port
from headrace.messaging.errors import Retryable
from headrace.stores.redis import connect
from services.gateway.adapters.index import RedisTurnIndex
from services.gateway.domain.places import Offsets, Place
from services.gateway.ports import Known
from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.toxic import HalfOpen

pytestmark = pytest.mark.integration
PLACE = Place(3, Offsets(41, 7))


@pytest.fixture
async def index(valkey: str) -> AsyncIterator[RedisTurnIndex]:
    async with connect(valkey) as redis:
        yield RedisTurnIndex(redis, "default")


@pytest.fixture
async def other(valkey: str) -> AsyncIterator[RedisTurnIndex]:
    """Another gateway's."""
    async with connect(valkey) as redis:
        yield RedisTurnIndex(redis, "default")


async def test_a_turn_is_claimed_once(index: RedisTurnIndex, other: RedisTurnIndex) -> None:
    turn_id = str(uuid.uuid4())
    assert await index.claim(turn_id, PLACE) is None
    assert await other.claim(turn_id, Place(5, Offsets(0, 0))) == Known(PLACE, accepted=False)
    await index.confirm(turn_id, PLACE)
    for each in (index, other):
        assert await each.find(turn_id) == Known(PLACE, accepted=True)
        assert await each.claim(turn_id, PLACE) == Known(PLACE, accepted=True)


async def test_a_claim_whose_answer_was_lost_keeps_nobody_from_claiming_again(
    valkey: str, other: RedisTurnIndex
) -> None:
    turn_id = str(uuid.uuid4())
    async with ToxicProxy(urlsplit(valkey).netloc) as proxy, connect(f"redis://{proxy.address}/0") as redis:
        index = RedisTurnIndex(redis, "default")
        await index.find(turn_id)
        await proxy.poison(HalfOpen(hears=True))
        with pytest.raises(Retryable):
            await index.claim(turn_id, PLACE)
        assert await other.find(turn_id) == Known(PLACE, accepted=False)
        await proxy.relieve()
        assert await index.claim(turn_id, PLACE) is None
    assert await other.claim(turn_id, PLACE) == Known(PLACE, accepted=False)


async def test_a_released_turn_can_be_claimed_again(index: RedisTurnIndex) -> None:
    turn_id = str(uuid.uuid4())
    await index.claim(turn_id, PLACE)
    await index.release(turn_id)
    assert await index.find(turn_id) is None
    assert await index.claim(turn_id, PLACE) is None


async def test_a_turn_is_watched_until_its_last_gateway_leaves(index: RedisTurnIndex) -> None:
    turn_id = str(uuid.uuid4())
    await index.watch(turn_id, "one")
    await index.watch(turn_id, "two")
    await index.unwatch(turn_id, "one")
    assert await index.watched(turn_id)
    await index.unwatch(turn_id, "two")
    assert not await index.watched(turn_id)


async def test_tenants_do_not_see_each_others_turns(valkey: str) -> None:
    turn_id = str(uuid.uuid4())
    async with connect(valkey) as redis:
        await RedisTurnIndex(redis, "a").claim(turn_id, PLACE)
        assert await RedisTurnIndex(redis, "b").find(turn_id) is None


async def test_a_server_that_is_away_may_be_asked_again() -> None:
    async with connect(f"redis://127.0.0.1:{free_port()}/0") as redis:
        with pytest.raises(Retryable):
            await RedisTurnIndex(redis, "default").find(str(uuid.uuid4()))
