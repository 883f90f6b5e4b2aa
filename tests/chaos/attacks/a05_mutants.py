"""Damaged and absurd messages on every topic, valid ones among them; what cannot be parsed is repaired afterwards."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.mutants import worker
from tests.chaos.mutants.on_broker import attack_broker
from tests.chaos.path.merging import merged

WORKERS: Final = 2
# Numbers are given out by unit and worker, so that no two get the same mutants.
APART: Final = 10_000_000
IN_MEMORY: Final = {"ci": 96_000, "full": 95_000}
ON_BROKER: Final = {"ci": 4_000, "full": 50_000}
FULL_UNITS: Final = 10
COUNTED: Final = ("mutants", "valid", "unparseable", "unreadable", "refused", "redriven")


class Mutants:
    """Row 5."""

    number = 5
    title = "mutated Protobuf and JSON at every topic"
    must_hold = (
        "0 crashes, 0 stuck partitions, dead letters = those that cannot be parsed, 100 % redriven once repaired"
    )

    def units(self, size: Size) -> Sequence[str]:
        if size == "ci":
            return ("broker", "memory")
        return ("broker", *(f"memory {number}" for number in range(1, FULL_UNITS + 1)))

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        if unit == "broker":
            return await attack_broker(seed, ON_BROKER[size], progress)
        place = int(unit.partition(" ")[2] or 0)
        return await attack_memory(seed, place, IN_MEMORY[size], progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack_memory(seed: int, place: int, count: int, progress: Progress) -> Report:
    """So many mutants through all services on a log in memory, in processes side by side."""
    share = count // WORKERS
    seen: list[dict[str, Any]] = [{} for _ in range(WORKERS)]

    async def run(index: int) -> None:
        first = (place * WORKERS + index) * APART
        async for told in worker.shares(seed, first, share):
            seen[index] = told
            progress(sum(each.get("mutants", 0) for each in seen), count, "mutants in memory")

    async with asyncio.TaskGroup() as group:
        for index in range(WORKERS):
            group.create_task(run(index))
    total = {name: sum(each.get(name, 0) for each in seen) for name in COUNTED}
    figures: dict[str, float | int | str] = {
        "mutants in memory": total["mutants"],
        "unparseable, all dead letters": total["unparseable"],
        "unreadable and passed over by readers": total["unreadable"],
        "refused with a reason": total["refused"],
        "repaired and redriven": total["redriven"],
        "valid ones among them, all answered": total["valid"],
        "longest leap of the clock, s": max(each.get("longest_leap_s", 0) for each in seen),
    }
    wrong = [sentence for each in seen for sentence in each.get("wrong", ())]
    if total["mutants"] < count and not wrong:
        wrong.append(f"only {total['mutants']} of {count} mutants were sent [seed {seed}]")
    return Report(f"{total['mutants']:,} mutants through all services on a log in memory", figures, tuple(wrong))


ATTACK: Final = Mutants()
