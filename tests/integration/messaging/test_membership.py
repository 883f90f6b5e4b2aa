"""Who may still call itself a member, on the real broker."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Mapping

import pytest

from headrace.messaging.errors import Fatal
from headrace.messaging.kafka import KafkaTransport
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Mark
from tests.fakes.topics import make_topics
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

# A fifth of the session.
HEARTBEAT_S = 2.0


class Noted:
    """An intake that only remembers."""

    def __init__(self) -> None:
        self.places: frozenset[TopicPartition] = frozenset()
        self.errors: list[BaseException] = []
        self.unbroken: list[bool] = []

    def receive(self, record: Received) -> None:
        pass

    def broken(self, error: BaseException) -> None:
        self.errors.append(error)

    def assigned(self, partitions: Collection[TopicPartition], *, unbroken: bool = True) -> None:
        self.places = frozenset(partitions)
        self.unbroken.append(unbroken)

    def remember(self, marks: Mapping[TopicPartition, Mark]) -> None:
        pass

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        pass


@pytest.fixture
async def topic(kafka: str) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    await make_topics(kafka, {name: 2})
    return name


async def test_of_two_processes_with_one_name_the_one_that_was_replaced_stops(kafka: str, topic: str) -> None:
    older, newer = Noted(), Noted()
    first = KafkaTransport(kafka, client_id="t", instance="twin")
    second = KafkaTransport(kafka, client_id="t", instance="twin")
    try:
        replaced = await first.subscribe(f"g-{topic}", [topic], older)
        await until("the first is given its partitions", lambda: older.places)
        replacing = await second.subscribe(f"g-{topic}", [topic], newer)
        await until("one of them is told", lambda: older.errors or newer.errors, 30)
        # Time enough for the older one to take its place back, and for the newer one to hear of it.
        await asyncio.sleep(2 * HEARTBEAT_S)
        assert not any(map(replaced.holds, older.places))
        assert all(map(replacing.holds, newer.places))
    finally:
        await asyncio.gather(first.close(), second.close())
    (error,) = older.errors
    assert isinstance(error, Fatal)
    assert "HEADRACE_INSTANCE" in str(error)
    assert newer.errors == []
    assert len(newer.places) == 2


async def test_a_member_that_was_cut_off_holds_nothing_until_it_is_heard_again(
    kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Noted()
    transport = KafkaTransport(kafka, client_id="t", instance="one")
    try:
        subscription = await transport.subscribe(f"g-{topic}", [topic], noted)
        await until("the partitions", lambda: noted.places)
        place = TopicPartition(topic, 0)
        assert subscription.holds(place)
        assert not subscription.holds(TopicPartition(topic, 7))
        # As if no heartbeat had been answered since.
        now = time.monotonic
        monkeypatch.setattr("headrace.messaging.membership.time.monotonic", lambda: now() + 9)
        assert not subscription.holds(place)
        await until("a heartbeat", lambda: subscription.holds(place))
    finally:
        await transport.close()


_PAUSED = """
import asyncio, sys
from headrace.messaging.kafka import KafkaTransport
from tests.integration.messaging.test_membership import Noted

async def main(bootstrap, topic):
    noted = Noted()
    transport = KafkaTransport(bootstrap, client_id="t", instance="paused")
    subscription = await transport.subscribe(f"g-{topic}", [topic], noted)
    while not noted.places:
        await asyncio.sleep(0.05)
    print("holding", flush=True)
    while len(noted.places) != 1:
        await asyncio.sleep(0.05)
    print("sharing", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    # The first thing that it does when it wakes up.
    print("holds" if any(map(subscription.holds, noted.places)) else "holds nothing", flush=True)
    before = len(noted.unbroken)
    while len(noted.unbroken) == before:
        await asyncio.sleep(0.05)
    print("unbroken" if noted.unbroken[-1] else "broken", flush=True)
    await transport.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_was_paused_beyond_its_session_wakes_up_holding_nothing(kafka: str, topic: str) -> None:
    other = Noted()
    with subprocess.Popen(  # noqa: ASYNC220 - started once, and read in a thread
        [sys.executable, "-c", _PAUSED, kafka, topic], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=dict(os.environ),
    ) as paused:  # fmt: skip
        assert paused.stdout is not None
        assert paused.stdin is not None
        transport = KafkaTransport(kafka, client_id="t", instance="other")
        try:
            assert await asyncio.to_thread(paused.stdout.readline) == "holding\n"
            await transport.subscribe(f"g-{topic}", [topic], other)
            await until("a share for each", lambda: len(other.places) == 1, 30)
            assert await asyncio.to_thread(paused.stdout.readline) == "sharing\n"
            os.kill(paused.pid, signal.SIGSTOP)
            await until("the share of the paused one", lambda: len(other.places) == 2, 40)
            paused.stdin.write("\n")
            paused.stdin.flush()
            os.kill(paused.pid, signal.SIGCONT)
            assert await asyncio.to_thread(paused.stdout.readline) == "holds nothing\n"
            assert await asyncio.to_thread(paused.stdout.readline) == "broken\n"
        finally:
            paused.kill()
            await transport.close()
