"""A Redis that says nothing costs a caller a moment, and the next ones none."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from urllib.parse import urlsplit

import pytest
import redis.asyncio
import uvloop

from headrace.messaging.errors import Retryable
from headrace.stores.connections import Watched
from headrace.stores.redis import ANSWER_TIMEOUT_SECONDS, connect, reaching
from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.toxic import HalfOpen, Reset
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

QUICK_S = ANSWER_TIMEOUT_SECONDS / 2
# One answer that did not come, on a machine that may be busy; each of ten old connections in turn would take longer.
PATIENCE_S = 5 * ANSWER_TIMEOUT_SECONDS


@pytest.fixture
async def proxy(valkey: str) -> AsyncIterator[ToxicProxy]:
    async with ToxicProxy(urlsplit(valkey).netloc) as listening:
        yield listening


@pytest.fixture
async def client(proxy: ToxicProxy) -> AsyncIterator[redis.asyncio.Redis]:
    async with connect(f"redis://{proxy.address}/0") as connected:
        await connected.ping()
        yield connected


async def seconds_until_refused(client: redis.asyncio.Redis) -> float:
    began = monotonic()
    with pytest.raises(Retryable), reaching("test"):
        await client.get("headrace:test")
    return monotonic() - began


async def answers(client: redis.asyncio.Redis) -> bool:
    try:
        with reaching("test"):
            return bool(await client.ping())
    except Retryable:
        return False


async def test_after_two_timeouts_nobody_waits_for_a_server_that_says_nothing(
    proxy: ToxicProxy, client: redis.asyncio.Redis
) -> None:
    await proxy.poison(HalfOpen())
    waited = [await seconds_until_refused(client) for _ in range(2)]
    assert max(waited) < PATIENCE_S
    assert sum([await seconds_until_refused(client) for _ in range(5)]) < 5 * QUICK_S


@pytest.mark.parametrize("toxic", [HalfOpen(), HalfOpen(for_good=True)])
async def test_it_is_used_again_soon_after_it_answers_whatever_became_of_the_old_connections(
    proxy: ToxicProxy, client: redis.asyncio.Redis, toxic: HalfOpen
) -> None:
    await asyncio.gather(*(client.ping() for _ in range(10)))
    await proxy.poison(toxic)
    for _ in range(3):
        await seconds_until_refused(client)
    await proxy.relieve()
    began = monotonic()
    await until("Redis to be used again", lambda: answers(client), timeout_s=5)
    assert [await answers(client) for _ in range(20)] == [True] * 20
    assert monotonic() - began < PATIENCE_S


async def test_a_refused_connection_is_no_reason_to_wait_before_the_next_try(
    proxy: ToxicProxy, client: redis.asyncio.Redis
) -> None:
    await proxy.poison(Reset(0))
    for _ in range(3):
        await seconds_until_refused(client)
    await proxy.relieve()
    assert await answers(client)


def test_connections_that_were_reset_are_opened_anew_on_the_loop_that_services_use(valkey: str) -> None:
    """INVARIANT: whatever a reset connection raises is an error of Redis; uvloop says RuntimeError."""

    async def cut_and_ask() -> list[bool]:
        async with ToxicProxy(urlsplit(valkey).netloc) as proxy, connect(f"redis://{proxy.address}/0") as client:
            await asyncio.gather(*(client.ping() for _ in range(10)))
            await proxy.poison(Reset(60_000))
            await proxy.relieve()
            return list(await asyncio.gather(*(answers(client) for _ in range(10))))

    assert uvloop.run(cut_and_ask()) == [True] * 10


async def test_a_new_connection_sends_nothing_but_its_command(valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    send = Watched.send_packed_command

    async def noted(self: Watched, command: object, *args: object, **options: object) -> None:
        sent.append(command)
        await send(self, command, *args, **options)

    monkeypatch.setattr(Watched, "send_packed_command", noted)
    async with connect(valkey) as client:
        await client.get("headrace:test")
        await client.get("headrace:test")
    assert len(sent) == 2
