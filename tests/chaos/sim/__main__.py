"""Replays one schedule with its events: `python -m tests.chaos.sim --scenario delivery --seed 4711`."""

import argparse
import os
import subprocess
import sys
import time

from tests.chaos.sim.schedules import SCENARIOS, run_schedule, silence


def main() -> int:
    """One seed with all that happened, or many with their violations."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.sim")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="delivery")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=1, help="how many seeds from there on")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of strings have another order in every process, and the schedule would with them.
        again = [sys.executable, "-m", "tests.chaos.sim", *sys.argv[1:]]
        return subprocess.call(again, env=os.environ | {"PYTHONHASHSEED": "0"})
    silence()
    broken, started = 0, time.perf_counter()
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        outcome = run_schedule(chosen.scenario, seed, told=_say if chosen.count == 1 else None)
        broken += bool(outcome.violations)
        for sentence in outcome.violations:
            _say(f"{chosen.scenario} {seed}: {sentence}")
    _say(f"{chosen.count} schedules, {broken} with violations, {time.perf_counter() - started:.1f} s")
    _say(f"the last: {outcome.steps} steps, {outcome.virtual_s:.1f} virtual seconds, digest {outcome.digest:016x}")
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
