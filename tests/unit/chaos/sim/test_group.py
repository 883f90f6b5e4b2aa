"""The simulated group loses patience when the real one does."""

import asyncio
from contextvars import Context
from dataclasses import dataclass, field

from tests.chaos.sim.chance import chance
from tests.chaos.sim.group import SESSION_S, Group, Seat
from tests.chaos.sim.log import SimLog
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.process import WORLD, Process
from tests.chaos.sim.run import SimClock


@dataclass
class Member:
    """Hears what the group says, and does nothing about it."""

    context: Context = field(default_factory=WORLD.copy)

    def rejoin(self) -> None:
        """The group deals anew."""


def a_group(loop: VirtualLoop) -> Group:
    return Group("g", loop, SimLog(1, SimClock(loop), chance(1, "log"), gaps=0.0), chance(1, "group"))


def freeze(process: Process, group: Group, loop: VirtualLoop) -> None:
    process.frozen, process.frozen_s = True, loop.time()
    group.silent(process)


def test_a_session_counts_from_the_last_of_two_pauses() -> None:
    loop = VirtualLoop(chance(1, "order"))
    group, process = a_group(loop), Process("p", 1)
    seat = Seat(Member(), process, "", frozenset({"t"}))

    async def case() -> None:
        seat.joined = loop.create_future()
        group.join(seat)
        freeze(process, group, loop)
        await asyncio.sleep(SESSION_S - 2)
        process.frozen = False
        await asyncio.sleep(1)
        freeze(process, group, loop)
        await asyncio.sleep(SESSION_S - 0.1)
        assert group.knows(seat)
        await asyncio.sleep(0.2)
        assert not group.knows(seat)

    try:
        loop.run_until_complete(case())
    finally:
        loop.dismantle()


def test_whoever_waits_for_the_deal_is_dealt_in_however_long_it_is_paused() -> None:
    """As the broker does: a member that awaits a rebalance satisfies its heartbeat, and its session begins after it."""
    loop = VirtualLoop(chance(1, "order"))
    group = a_group(loop)
    paused, late = (Seat(Member(), Process(name, number), "", frozenset({"t"})) for number, name in enumerate("pl"))

    async def case() -> None:
        for seat in (paused, late, paused):
            seat.joined = loop.create_future()
            group.join(seat)
        await asyncio.sleep(1)
        group.rebalance()
        paused.joined = dealt = loop.create_future()
        group.join(paused)
        freeze(paused.process, group, loop)
        await asyncio.sleep(SESSION_S + 1)
        assert not dealt.done()
        late.joined = loop.create_future()
        group.join(late)
        await asyncio.sleep(SESSION_S - 1)
        assert dealt.done()
        assert group.knows(paused)
        await asyncio.sleep(2)
        assert not group.knows(paused)

    try:
        loop.run_until_complete(case())
    finally:
        loop.dismantle()
