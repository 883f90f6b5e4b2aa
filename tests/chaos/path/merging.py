"""Several units of an attack as one line of the table."""

from collections.abc import Sequence

from tests.chaos.attack import Report


def merged(reports: Sequence[Report]) -> Report:
    """Counts are added, `longest` figures are the longest of all, words are the last ones."""
    figures: dict[str, float | int | str] = {}
    for report in reports:
        for name, value in report.figures.items():
            before = figures.get(name)
            if before is None or isinstance(value, str) or isinstance(before, str):
                figures[name] = value
            else:
                figures[name] = max(before, value) if name.startswith("longest") else round(before + value, 3)
    done = dict.fromkeys(report.done for report in reports)
    return Report("; ".join(done), figures, tuple(found for report in reports for found in report.violations))
