"""Every dependency is made sick in every way, and people go on asking."""

import os
import random
from collections.abc import Sequence
from time import monotonic
from typing import Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.gateway.scraping import stolen_s
from tests.chaos.path.merging import merged
from tests.chaos.toxics.cell import Pace, Ward
from tests.chaos.toxics.finals import contradictions
from tests.chaos.toxics.judging import Cell, Seen, recovered_s, violations
from tests.chaos.toxics.sick_path import DEPENDENCIES, running_path
from tests.chaos.toxics.toxic import STRENGTHS

_PACES: Final = {
    "ci": Pace(sick_s=3, every_s=0.4, deadline_s=4, normal_s=1),
    "full": Pace(sick_s=8, every_s=0.4, deadline_s=5, normal_s=1),
}


class Toxics:
    """Row 6."""

    number = 6
    title = "toxics x dependencies x strengths"
    must_hold = "every cell bounded by its deadline +10 %, recovers within 5 s of relief"

    def units(self, size: Size) -> Sequence[str]:
        return ("ci",) if size == "ci" else DEPENDENCIES

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(cells(unit, seed), _PACES[size], seed * 1000 + 600, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


def cells(unit: str, seed: int) -> list[Cell]:
    """All of one dependency; or, at CI's size, of all of them, in one strength each, which rotates with the seed."""
    if unit != "ci":
        names = [name for name in DEPENDENCIES if name == unit]
        return [Cell(name, kind, strength) for name in names for kind in STRENGTHS for strength in range(3)]
    all_kinds = [(name, kind) for name in DEPENDENCIES for kind in STRENGTHS]
    return [Cell(name, kind, (seed + place) % 3) for place, (name, kind) in enumerate(all_kinds)]


async def attack(chosen: Sequence[Cell], pace: Pace, seed: int, progress: Progress) -> Report:
    """These cells, in an order of the seed's: what one leaves behind is another one's to find in each run."""
    chosen = random.Random(seed).sample(chosen, len(chosen))  # noqa: S311 - replays, guards nothing
    began = monotonic()
    found: list[str] = []
    seen: dict[Cell, Seen] = {}
    most_stolen = 0.0
    async with running_path() as path:
        ward = Ward(path, pace, seed)
        for number, cell in enumerate(chosen):
            progress(number, len(chosen), str(cell))
            since, stolen_before_s = monotonic(), stolen_s()
            seen[cell] = await ward.run(cell)
            stolen = (stolen_s() - stolen_before_s) / (monotonic() - since) / (os.cpu_count() or 1)
            most_stolen = max(most_stolen, stolen)
            found += violations(cell, seen[cell])
        found += contradictions(path.direct)
        found += path.unasked()
    return Report(
        f"{len(chosen)} of 90 cells (seed {seed})",
        _figures(seen, monotonic() - began, most_stolen),
        tuple(f"{violation} [seed {seed}]" for violation in found),
    )


def _figures(seen: dict[Cell, Seen], seconds: float, most_stolen: float) -> dict[str, float | int | str]:
    everybody = [told for each in seen.values() for told in (*each.calm, *each.sick, *each.after, *each.again)]
    sick = [told for each in seen.values() for told in each.sick]
    slowest = max(everybody, key=lambda told: told.seconds)
    recoveries = {cell: recovered_s(each) for cell, each in seen.items()}
    known = {cell: took for cell, took in recoveries.items() if took is not None}
    last = max(known, key=lambda cell: known[cell], default="")
    return {
        "turns": len(everybody),
        "answered while sick": sum(told.answered for told in sick),
        "told why not while sick": sum(not told.answered for told in sick),
        "longest normal, s": round(max(each.normal_s for each in seen.values()), 1),
        "longest a turn took, s": round(slowest.seconds, 1),
        "longest recovery, s": round(max(known.values(), default=0.0), 1),
        "slowest to recover": str(last),
        "most of the processors given to other machines in a cell, %": round(100 * most_stolen, 1),
        "seconds": round(seconds, 1),
    }


ATTACK: Final = Toxics()
