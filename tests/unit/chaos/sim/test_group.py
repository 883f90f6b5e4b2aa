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


def test_a_session_counts_from_the_last_of_two_pauses() -> None:
    loop = VirtualLoop(chance(1, "order"))
    group = Group("g", loop, SimLog(1, SimClock(loop), chance(1, "log"), gaps=0.0), chance(1, "group"))
    process = Process("p", 1)
    seat = Seat(Member(), process, "", frozenset({"t"}))

    def freeze() -> None:
        process.frozen, process.frozen_s = True, loop.time()
        group.silent(process)

    async def case() -> None:
        seat.joined = loop.create_future()
        group.join(seat)
        freeze()
        await asyncio.sleep(SESSION_S - 2)
        process.frozen = False
        await asyncio.sleep(1)
        freeze()
        await asyncio.sleep(SESSION_S - 0.1)
        assert group.knows(seat)
        await asyncio.sleep(0.2)
        assert not group.knows(seat)

    try:
        loop.run_until_complete(case())
    finally:
        loop.dismantle()
