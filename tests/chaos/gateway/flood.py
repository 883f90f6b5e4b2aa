"""The load of an overload, in a process of its own: `python -m tests.chaos.gateway.flood` reads a plan as JSON on its
first line of input and writes a JSON line at the beginning and the end of each phase."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import uvloop

from tests.chaos.gateway.crowd import Crowd, Outcome
from tests.chaos.gateway.files import raise_file_limit

# Normal traffic, as a part of what the path can do.
_NORMAL: Final = 0.3
_TIMER_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """Normal traffic, as much as the path can do, ten times that, normal traffic again."""

    address: str
    seed: int
    sockets: int
    # More than the slots of the model, fewer than admission would refuse.
    people: int
    # What the model can do at most; what the path does is measured.
    nominal: float
    times: float
    warm_s: float
    normal_s: float
    full_s: float
    overload_s: float
    after_s: float


def say(**line: Any) -> None:
    """To the attack."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def flood(plan: Plan) -> None:
    """All phases."""
    lateness: list[tuple[float, float]] = []
    watching = asyncio.create_task(_watch_timers(lateness))
    async with Crowd(plan.address, plan.sockets, seed=plan.seed) as crowd:
        await crowd.closed_loop(plan.people // 2, plan.warm_s)
        await _phase("normal", crowd.open_loop(_NORMAL * plan.nominal, plan.normal_s))
        full = await _phase("full", crowd.closed_loop(plan.people, plan.full_s))
        capacity = answered_per_second(full, plan.full_s)
        say(capacity=capacity)
        overload = asyncio.create_task(_phase("overload", crowd.open_loop(plan.times * capacity, plan.overload_s)))
        await asyncio.sleep(plan.overload_s)
        # Who was let in during the overload is still being answered.
        await _phase("after", crowd.open_loop(_NORMAL * capacity, plan.after_s))
        await overload
    watching.cancel()
    say(lateness=lateness)


def answered_per_second(outcomes: list[Outcome], seconds: float) -> float:
    """Answers within the time, and no later ones: those have used time that is not counted."""
    began = min(outcome.asked_at for outcome in outcomes)
    # The first answers come when the first slot ends: before that nothing could have been answered.
    first = min(outcome.ended_at for outcome in outcomes if outcome.what == "answered")
    ended = [outcome.ended_at for outcome in outcomes if outcome.what == "answered"]
    return sum(at <= began + seconds for at in ended) / (began + seconds - first)


async def _phase(name: str, load: Awaitable[list[Outcome]]) -> list[Outcome]:
    began = monotonic()
    say(begins=name, at=began)
    outcomes = await load
    say(ends=name, began=began, outcomes=[outcome.as_json() for outcome in outcomes])
    return outcomes


async def _watch_timers(lateness: list[tuple[float, float]]) -> None:
    """How late this machine wakes who is due: whatever is measured here contains it."""
    while True:
        due = monotonic() + _TIMER_S
        await asyncio.sleep(_TIMER_S)
        lateness.append((due, monotonic() - due))


if __name__ == "__main__":
    raise_file_limit()
    # A collection would stop the clock for all that is measured; the process ends soon enough.
    gc.disable()
    uvloop.run(flood(Plan(**json.loads(sys.stdin.readline()))))
