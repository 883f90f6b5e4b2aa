"""Replays one schedule with its events: `python -m tests.chaos.sim --scenario delivery --seed 4711`."""

import argparse
import gc
import os
import subprocess
import sys
from collections import Counter
from typing import Final

import orjson

from tests.chaos.sim.schedules import SCENARIOS, drop_logs, run_schedule

# Cycles are collected after so many schedules, and not while one runs.
_SWEEP: Final = 4


def main() -> int:
    """One seed with all that happened, or many with their violations."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.sim")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="delivery")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=1, help="how many seeds from there on")
    parser.add_argument("--json", action="store_true", help="figures and violations as one JSON object")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of strings have another order in every process, and the schedule would with them.
        again = [sys.executable, "-m", "tests.chaos.sim", *sys.argv[1:]]
        return subprocess.call(again, env=os.environ | {"PYTHONHASHSEED": "0"})
    drop_logs(for_good=True)
    gc.disable()
    violations, figures = run_many(chosen.scenario, chosen.seed, chosen.count, events=not chosen.json)
    if chosen.json:
        sys.stdout.write(orjson.dumps({"figures": figures, "violations": violations}).decode())
    else:
        for sentence in violations:
            _say(sentence)
        _say(", ".join(f"{value:,} {name}" for name, value in figures.items()))
    return 1 if violations else 0


def run_many(scenario: str, first: int, count: int, *, events: bool) -> tuple[list[str], Counter[str]]:
    """Run consecutive seeds; a violation says how to see it again."""
    violations: list[str] = []
    figures: Counter[str] = Counter()
    for seed in range(first, first + count):
        outcome = run_schedule(scenario, seed, told=_say if events and count == 1 else None)
        replay = f"python -m tests.chaos.sim --scenario {scenario} --seed {seed}"
        violations += [f"{sentence} (replay: {replay})" for sentence in outcome.violations]
        figures.update(outcome.figures)
        if seed == first:
            # Modules and what they keep are no schedule's: a sweep would look at all of them each time.
            gc.freeze()
        elif seed % _SWEEP == 0:
            gc.collect()
    return violations, figures


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
