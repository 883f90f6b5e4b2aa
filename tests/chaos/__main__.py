"""`python -m tests.chaos`: attack the promises, print a table of what held, and fail on any violation.

The full size takes hours, in units of under an hour each: what a unit reported is kept, and a run that was cut off
goes on after the last whole one.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

import structlog
from rich.console import Console

from headrace.runtime.paths import data_dir
from tests.chaos.attack import Attack, Report, Size
from tests.chaos.catalogue import attacks
from tests.chaos.kept_reports import KeptReports
from tests.chaos.results import Result, as_json, table, violations
from tests.chaos.showing import shown

EXAMPLES = """
examples:
  python -m tests.chaos                      every attack at the size for CI
  python -m tests.chaos --only 2 5           two of them
  python -m tests.chaos --full               at the published size; cut off, it goes on where it was
  python -m tests.chaos --only 1 --seed 42   as it was in the run that printed this seed

exit status: 0 all held, 1 something was violated, 2 the command line is wrong
"""


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Attack the promises of delivery.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = attacks()
    parser.add_argument("--only", type=int, nargs="+", choices=sorted(known), help="numbers of attacks")
    parser.add_argument("--full", action="store_true", help="the published size instead of that for CI")
    parser.add_argument("--seed", type=int, default=None, help="repeat the schedule of another run")
    parser.add_argument("--afresh", action="store_true", help="forget what an earlier full run has kept")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    chosen = parser.parse_args(arguments)
    size: Size = "full" if chosen.full else "ci"
    seed = chosen.seed if chosen.seed is not None else (1 if chosen.full else time.time_ns() % 1_000_000)
    kept = KeptReports(data_dir() / "chaos" / f"{size}-{seed}" if chosen.full else None)
    if chosen.afresh:
        kept.forget()
    # What is measured goes to one stream, what is going on to the other: what our own parts log as well.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    console = Console(stderr=True)
    console.print(f"seed {seed}, size {size}", highlight=False)
    results = [
        _attacked(attack, size, seed, kept, console)
        for number, attack in sorted(known.items())
        if not chosen.only or number in chosen.only
    ]
    if chosen.json:
        sys.stdout.write(json.dumps(as_json(results, size=size, seed=seed), indent=2) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    for line in violations(results):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return 1 if any(result.report.violations for result in results) else 0


def _attacked(attack: Attack, size: Size, seed: int, kept: KeptReports, console: Console) -> Result:
    reports: list[Report] = []
    ran: list[str] = []
    began = time.monotonic()
    spent = 0.0
    for unit in attack.units(size):
        found = kept.find(attack.number, unit)
        if found is None:
            started = time.monotonic()
            with shown(console, f"{attack.number:>2} {attack.title}", unit) as progress:
                try:
                    report = asyncio.run(attack.run(unit, size, seed, progress))
                except Exception as exc:  # noqa: BLE001 - an attack that breaks down has shown nothing
                    console.print_exception()
                    report = Report("broke down", violations=(f"the attack broke down: {type(exc).__name__}: {exc}",))
            found = kept.keep(attack.number, unit, report, time.monotonic() - started)
        reports.append(found.report)
        ran.append(found.ran)
        spent += found.seconds
    merged = attack.merge(reports) if len(reports) > 1 else reports[0]
    return Result(attack, merged, max(spent, time.monotonic() - began), sorted(set(ran)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
