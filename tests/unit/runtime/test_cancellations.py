"""Which turns, and which attempts at them, were asked to stop."""

import asyncio

from headrace.runtime import cancellations as module
from headrace.runtime.cancellations import Cancellations


def test_a_turn_is_cancelled_for_whoever_asks_before_and_after() -> None:
    cancellations = Cancellations()
    early = cancellations.of("t")
    before = early.requested
    cancellations.request("t")
    assert (before, early.requested) == (False, True)
    del early
    assert cancellations.of("t").requested
    assert not cancellations.of("u").requested


def test_stopping_an_attempt_neither_cancels_the_turn_nor_stops_a_later_attempt() -> None:
    cancellations = Cancellations()
    cancellations.request("t", attempt=2)
    turn = cancellations.of("t")
    assert turn.stopped(1)
    assert turn.stopped(2)
    assert not turn.stopped(3)
    assert not turn.requested


async def test_whoever_waits_for_an_attempt_is_woken_by_it_and_not_by_an_earlier_one() -> None:
    cancellations = Cancellations()
    turn = cancellations.of("t")
    waiting = asyncio.create_task(turn.wait_stopped(2))
    cancellations.request("t", attempt=1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    cancellations.request("t", attempt=2)
    await asyncio.wait_for(waiting, 5)


def test_the_oldest_are_forgotten_first() -> None:
    cancellations = Cancellations()
    for number in range(module.REMEMBERED + 1):
        cancellations.request(str(number))
    assert not cancellations.of("0").requested
    assert cancellations.of("1").requested
