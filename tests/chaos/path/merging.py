"""Several units of an attack as one line of the table."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tests.chaos.attack import Report

_COUNTED: Final = re.compile(r"(\S+) (\d+)(?:, |$)")


def merged(reports: Sequence[Report]) -> Report:
    """Counts are added, those in words ("safety 3, feedback 1") by word; `longest` and `most` are the largest of all.

    Other words stand side by side; what several units did alike is said once, with how often.
    """
    figures: dict[str, float | int | str] = {}
    for report in reports:
        for name, value in report.figures.items():
            figures[name] = _together(name, figures[name], value) if name in figures else value
    done = Counter(report.done for report in reports)
    told = [said if times == 1 else f"{times} times {said}" for said, times in done.items()]
    return Report("; ".join(told), figures, tuple(found for report in reports for found in report.violations))


def _together(name: str, before: float | str, value: float | str) -> float | str:
    if isinstance(before, str) or isinstance(value, str):
        counts = _counts(str(before))
        counts.update(_counts(str(value)))
        if counts:
            return ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))
        return "; ".join(dict.fromkeys([*str(before).split("; "), str(value)]))
    return max(before, value) if name.startswith(("longest", "most")) else round(before + value, 3)


def _counts(words: str) -> Counter[str]:
    found = _COUNTED.findall(words)
    said = ", ".join(f"{word} {count}" for word, count in found)
    return Counter({word: int(count) for word, count in found}) if said == words else Counter()
