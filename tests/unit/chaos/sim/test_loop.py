"""The virtual clock, and what may be done to a process between two of its steps."""

import asyncio

import pytest

from tests.chaos.sim.chance import chance
from tests.chaos.sim.loop import Stalled, VirtualLoop
from tests.chaos.sim.process import Process


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop(chance(1, "order"))


async def count(seen: list[float]) -> None:
    while True:
        await asyncio.sleep(1)
        seen.append(asyncio.get_running_loop().time())


def test_an_hour_passes_at_once(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(3600))
    assert loop.time() == 3600
    loop.dismantle()


def test_a_killed_process_never_runs_again_not_even_to_clean_up(loop: VirtualLoop) -> None:
    process, seen, cleaned = Process("victim", 1), list[float](), list[bool]()

    async def victim() -> None:
        try:
            await count(seen)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    loop.create_task(victim(), context=process.context())
    loop.at(2.5, lambda: setattr(process, "alive", False))
    loop.run_until_complete(asyncio.sleep(10))
    loop.dismantle()
    assert (seen, cleaned) == ([1, 2], [])


def test_a_frozen_process_goes_on_later_as_if_no_time_had_passed(loop: VirtualLoop) -> None:
    process, seen = Process("sleeper", 1), list[float]()
    loop.create_task(count(seen), context=process.context())
    loop.at(2.5, lambda: setattr(process, "frozen", True))
    loop.at(7.5, loop.thaw, process)
    loop.run_until_complete(asyncio.sleep(9))
    loop.dismantle()
    assert seen == [1, 2, 7.5, 8.5]


def test_a_process_can_be_hit_before_any_of_its_steps(loop: VirtualLoop) -> None:
    seen: list[float] = []
    process = Process("victim", 1, hit_at=3, hit=lambda victim: setattr(victim, "alive", False))
    loop.create_task(count(seen), context=process.context())
    loop.run_until_complete(asyncio.sleep(9))
    loop.dismantle()
    assert len(seen) < 3


def test_the_order_of_what_is_ready_follows_from_the_seed() -> None:
    def order(seed: int) -> list[int]:
        loop, found = VirtualLoop(chance(seed, "order")), list[int]()
        for number in range(8):
            loop.call_soon(found.append, number)
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.dismantle()
        return found

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_waiting_for_nothing_is_told_instead_of_waited_for(loop: VirtualLoop) -> None:
    with pytest.raises(Stalled):
        loop.run_until_complete(loop.create_future())
    loop.dismantle()
