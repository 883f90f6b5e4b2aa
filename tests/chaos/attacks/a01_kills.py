"""A random service dies by SIGKILL every few seconds while turns, ratings and reviews come in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.path.draining import Backlog
from tests.chaos.path.gathering import accepted, gathered
from tests.chaos.path.judging import generations, generations_repeated, repeated, violations
from tests.chaos.path.killing import Killing
from tests.chaos.path.load import Load
from tests.chaos.path.merging import merged
from tests.chaos.path.stack import Layout, running_path
from tests.chaos.path.submitting import Submitting

# Without any progress for so long, with every service up, something is stuck.
PATIENCE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Scale:
    """What one unit does."""

    kills: int
    every_s: float
    turns: int
    reviews: int


CI: Final = Scale(kills=30, every_s=4.0, turns=2_000, reviews=20_000)
# Five of these: 1,000 kills and 300,000 events.
PART: Final = Scale(kills=200, every_s=4.0, turns=5_000, reviews=50_000)
PARTS: Final = 5


class Kills:
    """Row 1."""

    number = 1
    title = "SIGKILL a random service every few seconds on the real broker"
    must_hold = "0 lost, 0 double effects, 0 second generations after a committed result"

    def units(self, size: Size) -> Sequence[str]:
        return ("ci",) if size == "ci" else tuple(f"part-{number}" for number in range(1, PARTS + 1))

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        number = self.units(size).index(unit)
        return await attack(CI if size == "ci" else PART, seed * 1000 + number, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(scale: Scale, seed: int, progress: Progress) -> Report:
    """Load and kills side by side, then peace, then the judgement."""
    load = Load(scale.turns, scale.reviews, seed)
    async with running_path(Layout()) as path:
        submitting, killing = Submitting(path.bootstrap), Killing(path.services, seed=seed, every_s=scale.every_s)
        began = monotonic()
        sending = asyncio.create_task(submitting.send(load.all(), load.events / (scale.kills * scale.every_s)))
        dying = asyncio.create_task(killing.run(scale.kills))
        while not (sending.done() and dying.done()):
            progress(killing.total, scale.kills, f"{len(submitting.acknowledged):,} events taken")
            await asyncio.sleep(1)
        await asyncio.gather(sending, dying)
        under_fire_s = monotonic() - began
        progress(killing.total, scale.kills, "waiting until all is processed")
        await asyncio.gather(*(service.until_ready() for service in path.services))
        stuck = await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
        whole_s = monotonic() - began
        taken = accepted(load, submitting)
        seen = await gathered(path, taken.conversations)
        found = [*submitting.complaints, *stuck, *violations(taken, seen), *path.unasked()]
        logs = path.save_logs() if found else ""
    figures: dict[str, float | int | str] = {
        "kills": killing.total,
        "killed": ", ".join(f"{name} {count}" for name, count in sorted(killing.kills.items())),
        "turns": scale.turns,
        "reviews": scale.reviews,
        "ratings": scale.turns,
        "finals again": repeated(seen.finals),
        "classes again": repeated(seen.classes),
        "generations": generations(seen.journal),
        "generations cut short and repeated": generations_repeated(seen.journal),
        "seconds under fire": round(under_fire_s, 1),
        "seconds in all": round(whole_s, 1),
        **({"logs": logs} if logs else {}),
    }
    done = f"{killing.total:,} kills, {load.events:,} events (seed {seed})"
    return Report(done, figures, tuple(f"{violation} [seed {seed}]" for violation in found))


ATTACK: Final = Kills()
