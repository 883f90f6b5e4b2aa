"""Several units of an attack as one line of the table."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tests.chaos.attack import Report

_COUNTED: Final = re.compile(r"(\S+) (\d+)(?:, |$)")


def merged(reports: Sequence[Report]) -> Report:
    """Counts are added, those in words ("safety 3, feedback 1") by word; `longest` and `most` are the largest of all.

    Of other words the last unit's are shown.
    """
    figures: dict[str, float | int | str] = {}
    for report in reports:
        for name, value in report.figures.items():
            figures[name] = _together(name, figures[name], value) if name in figures else value
    done = dict.fromkeys(report.done for report in reports)
    return Report("; ".join(done), figures, tuple(found for report in reports for found in report.violations))


def _together(name: str, before: float | str, value: float | str) -> float | str:
    if isinstance(before, str) or isinstance(value, str):
        counts = _counts(str(before))
        counts.update(_counts(str(value)))
        return ", ".join(f"{word} {count}" for word, count in sorted(counts.items())) or value
    return max(before, value) if name.startswith(("longest", "most")) else round(before + value, 3)


def _counts(words: str) -> Counter[str]:
    found = _COUNTED.findall(words)
    said = ", ".join(f"{word} {count}" for word, count in found)
    return Counter({word: int(count) for word, count in found}) if said == words else Counter()
