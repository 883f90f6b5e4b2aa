"""How far an attack has come: a bar for people, a line now and then for logs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos.attack import Progress as Told

_EVERY_S = 30.0


@contextmanager
def shown(console: Console, title: str, unit: str) -> Iterator[Told]:
    """Show a unit's progress while it runs."""
    if not console.is_terminal:
        yield _lines(console, title, unit)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(f"{title} ({unit})", total=None, note="")
        yield lambda done, of, note="": bars.update(task, completed=done, total=of, note=note)


def _lines(console: Console, title: str, unit: str) -> Told:
    last = time.monotonic()
    console.print(f"{title} ({unit})", highlight=False)

    def tell(done: float, of: float, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_S:
            last = time.monotonic()
            console.print(f"   {done:,.0f} of {of:,.0f} {note}", highlight=False)

    return tell
