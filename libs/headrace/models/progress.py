"""How far a download or a training is: a bar on a terminal, a plain line every quarter where there is none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

# Called with what is done and what there is in all (0: not known).
Advance = Callable[[int, int], None]
_MEGABYTE = 1_000_000


@contextmanager
def download_progress(label: str, stream: TextIO | None = None) -> Iterator[Advance]:
    """Show the download of `label` on stderr until the block ends."""
    target = stream or sys.stderr
    if not target.isatty():
        yield _lines(label, target, _megabytes)
        return
    # Only for a person at a terminal; a service needs no rich.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=target), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


@contextmanager
def work_progress(label: str, stream: TextIO | None = None) -> Iterator[Advance]:
    """Show how many of its parts `label` has done on stderr until the block ends."""
    target = stream or sys.stderr
    if not target.isatty():
        yield _lines(label, target, _counted)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=target), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def _megabytes(done: int, total: int) -> str:
    return f"{done // _MEGABYTE} of {total // _MEGABYTE} MB"


def _counted(done: int, total: int) -> str:
    return f"{done:,} of {total:,}"


def _lines(label: str, target: TextIO, say: Callable[[int, int], str]) -> Advance:
    next_quarter = 0

    def advance(done: int, total: int) -> None:
        nonlocal next_quarter
        quarter = done * 4 // total if total else 0
        if quarter >= next_quarter:
            next_quarter = quarter + 1
            print(f"{label}: {say(done, total)}", file=target, flush=True)

    return advance
