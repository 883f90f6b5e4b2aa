"""Figures as they stand in the README: percentiles, and tables in Markdown."""

import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_BYTES_PER_GIB: Final = 2**30


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed: one that was really measured. NaN of none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal; the first column is words, the others are figures."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = f"|{'-' * (widths[0] + 2)}|{'|'.join('-' * (width + 1) + ':' for width in widths[1:])}|"
    return "\n".join([line(headings), rule, *map(line, rows)])


def machine() -> str:
    """The machine in words: what a figure means depends on it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _BYTES_PER_GIB
    return f"{cores} cores ({_processor()}), {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    models = (line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name"))
    return next(models, platform.machine())
