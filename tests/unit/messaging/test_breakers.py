"""What waits behind an open breaker, and when one of it is tried."""

import asyncio
from collections.abc import Iterator

import pytest

from headrace.messaging.breaker import BreakerPolicy
from headrace.messaging.breakers import Breakers
from headrace.messaging.clock import SystemClock
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.schedule import Work
from tests.fakes.waiting import until

POLICY = BreakerPolicy(consecutive=1, cooldown_s=0.01, ceiling_s=0.02)
STAGE = "case"


class Trying:
    """Breakers whose probes are kept in a list and close nothing."""

    def __init__(self) -> None:
        self.tried: list[int] = []
        self.breakers = Breakers(
            "test",
            POLICY,
            clock=SystemClock(),
            probe=self._probe,
            reopen=lambda _waiting: None,
            busy=lambda _key: False,
        )

    async def _probe(self, work: Work) -> None:
        self.tried.append(work.record.offset)

    def flood(self) -> None:
        """Everything fails from now on."""
        self.breakers.of(STAGE).failed()
        self.breakers.opened(STAGE, KeyError())


@pytest.fixture
def trying() -> Iterator[Trying]:
    trying = Trying()
    yield trying
    trying.breakers.stop()


def work(offset: int, partition: int = 0) -> Work:
    record = Received("t", partition, offset, 0, b"k", b"v")
    return Work(record, key=(partition, offset), interactive=True, stage=STAGE)


async def test_what_waits_is_tried_now_and_then(trying: Trying) -> None:
    trying.flood()
    trying.breakers.park(work(0))
    await until("two tries", lambda: len(trying.tried) > 1)
    assert set(trying.tried) == {0}


async def test_a_breaker_that_opens_while_the_service_drains_tries_nothing(trying: Trying) -> None:
    """INVARIANT: a drain cancels what runs, and nothing parked behind it may overtake it."""
    trying.breakers.stop()
    trying.flood()
    trying.breakers.park(work(0))
    # A rebalance in the middle of it, which begins the tries of an open breaker anew.
    trying.breakers.park(work(0, partition=1))
    trying.breakers.drop([TopicPartition("t", 1)])
    await asyncio.wait_for(_several_tries(), 5)
    assert trying.tried == []


async def _several_tries() -> None:
    """As long as a breaker of the same policy takes for a few tries."""
    other = Trying()
    other.flood()
    other.breakers.park(work(0))
    await until("tries of another", lambda: len(other.tried) > 3)
    other.breakers.stop()
