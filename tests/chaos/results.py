"""What the attacks found, as a table, as JSON, as lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tests.chaos.attack import Attack, Report, Size


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    attack: Attack
    report: Report
    seconds: float
    # The days and commits of its units.
    ran: Sequence[str]


def table(results: Sequence[Result]) -> Table:
    """Number, attack, what was done, what was measured, what was violated."""
    found = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("#", "attack", "must hold", "done", "measured"):
        found.add_column(heading, justify="right" if heading == "#" else "left", overflow="fold")
    found.add_column("violations", justify="right")
    found.add_column("time", justify="right")
    found.add_column("ran", overflow="fold")
    for result in results:
        count = len(result.report.violations)
        found.add_row(
            str(result.attack.number),
            result.attack.title,
            result.attack.must_hold,
            result.report.done,
            "\n".join(f"{name} {_told(value)}" for name, value in result.report.figures.items()),
            Text(str(count), style="red" if count else "green"),
            f"{result.seconds:.0f} s",
            "\n".join(result.ran),
        )
    return found


def violations(results: Sequence[Result]) -> Iterator[str]:
    """Each violation, after the number of its attack."""
    for result in results:
        for violation in result.report.violations:
            yield f"violated: {result.attack.number} {result.attack.title}: {violation}"


def as_json(results: Sequence[Result], *, size: Size, seed: int) -> Mapping[str, Any]:
    """All of it."""
    return {
        "size": size,
        "seed": seed,
        "attacks": [
            {
                "number": result.attack.number,
                "title": result.attack.title,
                "must_hold": result.attack.must_hold,
                "done": result.report.done,
                "figures": dict(result.report.figures),
                "violations": list(result.report.violations),
                "seconds": round(result.seconds, 1),
                "ran": list(result.ran),
            }
            for result in results
        ],
    }


def _told(value: float | str) -> str:
    if isinstance(value, str):
        return value
    whole = float(value).is_integer() or abs(value) >= 10
    return f"{value:,.0f}" if whole else f"{value:,.3g}"
