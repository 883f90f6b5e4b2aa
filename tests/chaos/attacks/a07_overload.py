"""Ten times as many questions as can be answered, at a gateway in front of the whole path with a mock engine."""

import asyncio
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from time import monotonic
from typing import Any, Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.gateway import flood
from tests.chaos.gateway.crowd import Outcome
from tests.chaos.gateway.overload import RECOVERY_S, Overload, Phase, violations
from tests.chaos.gateway.path import STAGES, Pace, running_gateways
from tests.chaos.gateway.scraping import between, held_bytes, histogram, pid_listening, stolen_s, waited_s
from tests.chaos.path.merging import merged

# Few slots and few words: what limits the path is to be the model, on a machine that has two cores for everything.
PACE: Final = Pace(slots=5, words=12, delay_ms=80)
SOCKETS: Final = 200
TIMES: Final = 10
OVERLOAD_S: Final[dict[Size, float]] = {"ci": 60.0, "full": 300.0}
REFUSALS: Final = "headrace_refusal_seconds"
_MEMORY_EVERY_S: Final = 0.5
_LONGEST_LINE: Final = 1 << 28


class Flooded:
    """Row 7."""

    number = 7
    title = "10x overload"
    must_hold = "goodput >= 0.9 of capacity, refusals p99 <= 10 ms at the gateway, memory bounded, normal in 5 s"

    def units(self, size: Size) -> Sequence[str]:
        return (size,)

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(OVERLOAD_S[size], seed * 1000 + 700, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(overload_s: float, seed: int, progress: Progress) -> Report:
    """Start the path, flood it from another process, judge what was seen."""
    async with running_gateways(1, behind=STAGES, pace=PACE) as path:
        plan = flood.Plan(
            path.gateways[0].address,
            seed,
            sockets=SOCKETS,
            people=2 * PACE.slots + 3,
            nominal=PACE.per_second,
            times=TIMES,
            warm_s=6.0,
            normal_s=10.0,
            full_s=15.0,
            overload_s=overload_s,
            after_s=RECOVERY_S + 15.0,
        )
        seen = await _flooded(plan, progress)
        found = [*violations(seen), *path.unasked()]
        logs = path.save_logs() if found else ""
    asked = len(seen.flood.outcomes)
    figures: dict[str, float | int | str] = {
        "capacity, answers/s": round(seen.capacity, 2),
        "goodput, answers/s": round(seen.goodput, 2),
        "refused": sum(each.what == "refused" for each in seen.flood.outcomes),
        "refused within 10 ms at the gateway, %": round(100 * seen.refused_in_time, 2),
        "refusal p99 at the client, ms": round(1000 * seen.refusal_p99_s(), 1),
        "refusal p99 by websocket, ms": round(1000 * seen.refusal_p99_s("websocket"), 1),
        "refusal p99 by HTTP, ms": round(1000 * seen.refusal_p99_s("http"), 1),
        "timers late by p99, ms": round(1000 * seen.lateness_p99_s, 1),
        "gateway without a processor, ms per s": round(1000 * seen.waited_s / overload_s, 1),
        "processors given to other machines, %": round(100 * seen.stolen, 1),
        "gateway grew by, MiB": round(seen.growth(seen.flood.began, math.inf) / 2**20, 1),
        "answer p50 before, s": round(seen.answer_p50_s("normal"), 2),
        "answer p50 under overload, s": round(seen.answer_p50_s("overload"), 2),
        "answer p50 from 5 s after, s": round(seen.answer_p50_s("after", RECOVERY_S), 2),
        **({"logs": logs} if logs else {}),
    }
    done = f"{asked:,} questions in {overload_s:.0f} s, {asked / overload_s / seen.capacity:.1f} times the capacity"
    return Report(f"{done} (seed {seed})", figures, tuple(f"{violation} [seed {seed}]" for violation in found))


async def _flooded(plan: flood.Plan, progress: Progress) -> Overload:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", flood.__name__), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    memory: list[tuple[float, int]] = []
    pid = pid_listening(plan.address)
    watching = asyncio.create_task(_watch_memory(pid, memory))
    waited: dict[str, float] = {}
    stolen: dict[str, float] = {}
    refusals: dict[str, dict[float, int]] = {}
    told: dict[str, Any] = {}
    phases: dict[str, Phase] = {}
    try:
        process.stdin.write(json.dumps(asdict(plan)).encode() + b"\n")
        await process.stdin.drain()
        async for line in process.stdout:
            said = json.loads(line)
            told |= said
            if name := said.get("begins"):
                progress(len(phases), 4, name)
                refusals[name] = await histogram(plan.address, REFUSALS)
                waited[name], stolen[name] = waited_s(pid), stolen_s()
            elif name := said.get("ends"):
                outcomes = [Outcome(**each) for each in said["outcomes"]]
                phases[name] = Phase(said["began"], said["began"] + _seconds(plan, name), outcomes)
        if await process.wait():
            raise AssertionError(f"the load ended with status {process.returncode}: its words are above")
    finally:
        if process.returncode is None:
            process.kill()
        watching.cancel()
    return Overload(
        phases,
        told["capacity"],
        [(at, late) for at, late in told["lateness"]],
        between(refusals["overload"], refusals["after"]),
        memory,
        waited["after"] - waited["overload"],
        (stolen["after"] - stolen["overload"]) / plan.overload_s / (os.cpu_count() or 1),
    )


def _seconds(plan: flood.Plan, phase: str) -> float:
    return {
        "normal": plan.normal_s, "full": plan.full_s, "overload": plan.overload_s, "after": plan.after_s
    }[phase]  # fmt: skip


async def _watch_memory(pid: int, memory: list[tuple[float, int]]) -> None:
    while True:
        memory.append((monotonic(), held_bytes(pid)))
        await asyncio.sleep(_MEMORY_EVERY_S)


ATTACK: Final = Flooded()
