"""Simulated schedules: crash, pause, rebalance, duplicate and delayed acknowledgement at every point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.sim.batches import Batch, run_batches

# How many schedules of each scenario a unit runs: most hit one service's delivery with all kinds of faults, some of
# them with transactions, some under a build that fails on everything, some with more than fits in memory, some with a
# message that ends every process which handles it; some kill it at each await point in turn, and some take the whole
# path, of which now and then one service has a defect.
_CI: Final = {
    "delivery": 3_800,
    "once": 2_000,
    "flood": 1_000,
    "burst": 300,
    "lethal": 400,
    "sweep": 2_000,
    "path": 400,
    "defect": 100,
}
_FULL_UNITS: Final = 10
_FULL: Final = {scenario: 10 * count for scenario, count in _CI.items()}
# Schedules in one child process: few enough that progress is seen, many enough that its start does not count.
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Schedules:
    """Every schedule has a seed of its own; the same base seed runs the same ones."""

    number: int = 2
    title: str = "simulated schedules: crash, pause, rebalance, duplicate, delayed ack at every point"
    must_hold: str = "0 anomalies"

    def units(self, size: Size) -> Sequence[str]:
        return ["all"] if size == "ci" else [f"{number:02d}" for number in range(_FULL_UNITS)]

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        counts = _CI if size == "ci" else _FULL
        place = 0 if size == "ci" else int(unit)
        batches = [
            Batch(scenario, seed * 100_000_000 + place * count + start, min(_BATCH, count - start))
            for scenario, count in counts.items()
            for start in range(0, count, _BATCH)
        ]
        return _report(await run_batches(batches, progress))

    def merge(self, reports: Sequence[Report]) -> Report:
        figures = {
            name: sum(int(report.figures.get(name, 0)) for report in reports)
            for name in sorted({name for report in reports for name in report.figures})
        }
        violations = tuple(sentence for report in reports for sentence in report.violations)
        return Report(f"{figures.get('schedules', 0):,} schedules", figures, violations)


def _report(results: Sequence[Report]) -> Report:
    return Schedules().merge(results)


ATTACK = Schedules()
