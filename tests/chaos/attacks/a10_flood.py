"""A build is deployed that fails on everything; the breaker has to stop it, and the right build to leave nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from time import monotonic
from typing import Final

from headrace.messaging import topics
from tests.chaos.attack import Progress, Report, Size
from tests.chaos.path import broken_build
from tests.chaos.path.draining import Backlog
from tests.chaos.path.gathering import accepted, gathered
from tests.chaos.path.judging import repeated, violations
from tests.chaos.path.kept import KeptService
from tests.chaos.path.load import Load
from tests.chaos.path.merging import merged
from tests.chaos.path.observed import Observed
from tests.chaos.path.reading import count
from tests.chaos.path.stack import STAGES, Layout, ServicePath, running_path
from tests.chaos.path.submitting import Submitting

PATIENCE_S: Final = 120.0
PER_SECOND: Final = 44.0
# Every stage has its own breaker, which opens before its twentieth failure in a row is given up.
GIVEN_UP_A_STAGE: Final = 20
STAGES_OF: Final = {"preprocessing": 2, "safety": 3, "inference": 1, "postprocessing": 2, "feedback": 2, "grounding": 2}
# In place, a message is tried four times before it counts: some seconds for a row of them.
RED_WITHIN_S: Final = 60.0
STOPPED_FOR_S: Final = 8.0
# How /readyz begins what it says of each open breaker.
_OPEN: Final = "the breaker of stage"
REDRIVE_S: Final = 120.0


@dataclass(slots=True)
class Flood:
    """One bad deployment."""

    service: str
    red_s: float = 0.0
    given_up: int = 0
    wrong: list[str] = field(default_factory=list)


class Floods:
    """Row 10."""

    number = 10
    title = "flood: a build that fails everything"
    must_hold = "breaker stops it within its limit; after the fix all is processed"

    def units(self, size: Size) -> Sequence[str]:
        return (size,)

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        victims = ("safety", "postprocessing", "feedback") if size == "ci" else STAGES
        return await attack(victims, seed * 1000 + 1000, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(victims: Sequence[str], seed: int, progress: Progress) -> Report:
    """A bad build of each of these services in turn, each followed by the right one; the load never stops."""
    load = Load(turns=4_000, reviews=36_000, seed=seed)
    async with running_path(Layout()) as path:
        submitting, over = Submitting(path.bootstrap), asyncio.Event()
        sending = asyncio.create_task(
            submitting.send(takewhile(lambda _: not over.is_set(), load.all()), PER_SECOND), name="sending"
        )
        floods: list[Flood] = []
        for number, victim in enumerate(victims):
            progress(number, len(victims), f"a bad build of {victim}")
            floods.append(await _flood(path, path.of(victim)[0]))
        over.set()
        await sending
        progress(len(victims), len(victims), "waiting until all is processed")
        stuck = await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
        redriven, unredriven = await _redrive(path)
        stuck += await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
        taken = accepted(load, submitting)
        seen = await gathered(path, taken.conversations)
        told = _forgive(seen)
        found = [
            *submitting.complaints,
            *(wrong for flood in floods for wrong in flood.wrong),
            *unredriven,
            *stuck,
            *violations(taken, seen, in_order=False),
            *path.unasked(),
        ]
        logs = path.save_logs() if found else ""
    figures: dict[str, float | int | str] = {
        "bad builds": len(floods),
        "messages": len(submitting.acknowledged),
        "given up before the breaker opened": ", ".join(f"{each.service} {each.given_up}" for each in floods),
        "longest time to a red /readyz, s": max(each.red_s for each in floods),
        "clients told of a failure": told,
        "dead letters redriven": redriven,
        "finals again": repeated(seen.finals),
        "classes again": repeated(seen.classes),
        **({"logs": logs} if logs else {}),
    }
    done = f"{len(floods)} bad builds, {len(submitting.acknowledged):,} messages (seed {seed})"
    return Report(done, figures, tuple(f"{violation} [seed {seed}]" for violation in found))


async def _flood(path: ServicePath, service: KeptService) -> Flood:
    """Deploy the bad build, watch it be stopped, deploy the right one again."""
    flood, good = Flood(service.name), service.module
    before = await asyncio.to_thread(_given_up, path.bootstrap, service.name)
    await service.restart(broken_build.__name__)
    began = monotonic()
    while "breaker" not in await service.readiness():
        if monotonic() - began > RED_WITHIN_S:
            flood.wrong.append(f"{service.name}: no red /readyz within {RED_WITHIN_S:.0f} s of a build that fails all")
            break
        await asyncio.sleep(0.1)
    flood.red_s = round(monotonic() - began, 1)
    shut = (await service.readiness()).count(_OPEN)
    at_red = await asyncio.to_thread(_given_up, path.bootstrap, service.name)
    await asyncio.sleep(STOPPED_FOR_S)
    after = await asyncio.to_thread(_given_up, path.bootstrap, service.name)
    flood.given_up = after - before
    limit = GIVEN_UP_A_STAGE * STAGES_OF[service.name]
    if flood.given_up > limit:
        flood.wrong.append(f"{service.name}: {flood.given_up} messages given up, the limit is {limit}")
    # Each stage has a breaker of its own: one that is not open yet may still come to its limit.
    allowed = GIVEN_UP_A_STAGE * (STAGES_OF[service.name] - shut) + limit // 10
    if after > at_red + allowed:
        flood.wrong.append(f"{service.name}: {after - at_red} messages given up while {shut} of its breakers were open")
    if service.endings and not service.endings[-1].asked:
        flood.wrong.append(f"{service.name}: the bad build ended by itself instead of waiting for the right one")
    await service.restart(good)
    await service.until_ready()
    return flood


def _given_up(bootstrap: str, service: str) -> int:
    """How many messages the service has put aside or buried so far."""
    return count(bootstrap, lambda name: name == topics.DEAD_LETTERS or name.startswith(f"headrace.retries.{service}."))


async def _redrive(path: ServicePath) -> tuple[int, list[str]]:
    """What an operator does after the fix; with nothing to redrive the command says so and changes nothing."""
    letters = await asyncio.to_thread(count, path.bootstrap, lambda name: name == topics.DEAD_LETTERS)
    if not letters:
        return 0, []
    environment = {**os.environ, **path.environment()}
    command = (sys.executable, "-m", "headrace.cli.main", "dlq", "redrive", "--until", "now", "--json")
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), REDRIVE_S)
    if process.returncode:
        return 0, [f"the redrive ended with status {process.returncode}: {errors.decode()[-300:]}"]
    redriven = len(json.loads(output)["redriven"])
    return redriven, [] if redriven == letters else [f"{redriven} of {letters} dead letters were redriven"]


def _forgive(seen: Observed) -> int:
    """Take out what clients were told of messages that the bad builds gave up: it is counted, and each of them must
    have an answer as well."""
    told = 0
    for finals in seen.finals.values():
        failed = [final for final in finals if final.status == "FAILED"]
        told += len(failed)
        finals[:] = [final for final in finals if final not in failed] or failed
    for classes in seen.classes.values():
        failures = [each for each in classes if each.error]
        told += len(failures)
        classes[:] = [each for each in classes if not each.error] or failures
    seen.dead_letters.clear()
    return told


ATTACK: Final = Floods()
