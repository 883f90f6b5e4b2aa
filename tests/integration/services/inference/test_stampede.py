"""Many ask the same at once, over a real Valkey and several instances of the service."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from headrace.messaging.clock import SystemClock
from headrace.stores.answers import AnswerKey, CachedAnswers
from headrace.stores.redis import connect
from services.inference.adapters.cache import RedisCache
from services.inference.handlers.answers import Answers

pytestmark = pytest.mark.integration

ANSWER = AnswerKey("acme", "m", "0" * 64)
INSTANCES, EACH = 3, 40


class Instance:
    """One process's view: connections and waiting of its own."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self.answers = Answers(RedisCache(self.client, keep_seconds=60), SystemClock())
        self.made = 0

    async def ask(self, *, working: asyncio.Event, go_on: asyncio.Event, fails: bool = False) -> bytes | None:
        """What the one who asks is given: found, or made here."""
        async with self.answers.place(ANSWER) as place:
            if place.found is None:
                self.made += 1
                working.set()
                await go_on.wait()
                if fails:
                    raise RuntimeError("the engine died")
                place.made = b"made once"
            return place.found or place.made


@pytest.fixture
async def instances(valkey: str) -> AsyncIterator[list[Instance]]:
    instances = [Instance(valkey) for _ in range(INSTANCES)]
    await instances[0].client.flushdb()
    yield instances
    for instance in instances:
        await instance.client.aclose()


async def test_a_stampede_over_several_instances_generates_once(instances: list[Instance]) -> None:
    """INVARIANT: however many ask the same at once, wherever they come in, the model works once."""
    working, go_on = asyncio.Event(), asyncio.Event()
    asking = [
        asyncio.create_task(instance.ask(working=working, go_on=go_on)) for instance in instances for _ in range(EACH)
    ]
    await working.wait()
    go_on.set()
    async with asyncio.timeout(20):
        given = await asyncio.gather(*asking)
    assert given == [b"made once"] * INSTANCES * EACH
    assert sum(instance.made for instance in instances) == 1
    (group,) = await CachedAnswers(instances[0].client).groups()
    assert (group.misses, group.hits + group.joined, group.answers) == (1, INSTANCES * EACH - 1, 1)


async def test_the_next_in_line_makes_what_the_first_did_not(instances: list[Instance]) -> None:
    working, go_on = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(instances[0].ask(working=working, go_on=go_on, fails=True))
    await working.wait()
    others = [asyncio.create_task(instance.ask(working=asyncio.Event(), go_on=go_on)) for instance in instances[1:]]
    go_on.set()
    with pytest.raises(RuntimeError):
        await first
    async with asyncio.timeout(20):
        assert await asyncio.gather(*others) == [b"made once"] * (INSTANCES - 1)
    assert [instance.made for instance in instances].count(1) == 2
