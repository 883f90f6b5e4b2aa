"""A broker behind a sick wire: what was published is consumed soon after relief, whatever became of the connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from headrace.messaging.admin import TopicSpec, apply_topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import Started, follow
from headrace.v1.prompts_pb2 import CancelRequested
from tests.chaos.toxics.broker import ProxiedBroker
from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.toxic import HalfOpen, Reset, Toxic
from tests.fakes.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TOPIC = "headrace.test.connections"
SICK_S = 4.0
# Of a busy machine; one that is not needs a third of it. Without the mend it is half a minute, or for ever.
RELIEVED_S = 15.0


class Line:
    """A publisher and a reader of the same topic, both through the proxy."""

    def __init__(self, bootstrap: str, publisher: KafkaPublisher) -> None:
        self._bootstrap = bootstrap
        self._publisher = publisher
        self._started = Started()
        self.came: list[str] = []
        self._reading: asyncio.Task[None] | None = None

    async def say(self, word: str) -> None:
        await self._publisher.publish(Outgoing(TOPIC, word, CancelRequested(turn_id=word)))

    async def open(self) -> None:
        self._reading = asyncio.create_task(self._read())
        await asyncio.wait_for(self._started.wait(), 30)

    async def close(self) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for record in follow(self._bootstrap, {TopicPartition(TOPIC, 0): 0}, started=self._started):
            self.came.append(record.key_text)


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[tuple[ToxicProxy, Line]]:
    async with ToxicProxy() as proxy:
        broker = ProxiedBroker(folder, proxy_port=proxy.port)
        await broker.start()
        try:
            proxy.upstream = broker.behind
            await apply_topics(broker.direct, {TOPIC: TopicSpec(1, 1, {})})
            async with KafkaPublisher(proxy.address, "test") as publisher:
                opened = Line(proxy.address, publisher)
                await opened.open()
                try:
                    await opened.say("before")
                    await until("the first word", lambda: opened.came == ["before"])
                    yield proxy, opened
                finally:
                    await opened.close()
        finally:
            await broker.stop()


@pytest.mark.parametrize("toxic", [Reset(0), HalfOpen(), HalfOpen(hears=True), HalfOpen(for_good=True)], ids=str)
def test_words_go_on_soon_after_relief_and_none_comes_twice(tmp_path: Path, toxic: Toxic) -> None:
    """INVARIANT: neither a reset nor silence costs more than moments; on uvloop, as services run."""

    async def go() -> list[str]:
        async with line(tmp_path) as (proxy, opened):
            await proxy.poison(toxic)
            during = asyncio.create_task(opened.say("during"))
            await asyncio.sleep(SICK_S)
            await proxy.relieve()
            async with asyncio.timeout(RELIEVED_S):
                await during
                await opened.say("after")
                await until("all words", lambda: "after" in opened.came, RELIEVED_S)
            return opened.came

    assert uvloop.run(go()) == ["before", "during", "after"]
