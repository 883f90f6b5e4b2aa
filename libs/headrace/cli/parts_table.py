"""The parts of the stack as a table."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from headrace.embedded.memory import resident_bytes
from headrace.embedded.supervisor import State, Status

STYLES: Final = {
    State.WAITING: "dim",
    State.STARTING: "yellow",
    State.READY: "green",
    State.RESTARTING: "bold yellow",
    State.STOPPING: "yellow",
    State.STOPPED: "dim",
    State.FAILED: "bold red",
}


def parts_table(statuses: Sequence[Status]) -> Table:
    """One row a part, its memory read now."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, justify in (
        ("part", "left"),
        ("state", "left"),
        ("pid", "right"),
        ("restarts", "right"),
        ("RSS MB", "right"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # the literals of rich
    # The one that gives way where there is no room: its texts, and not it, are kept to a line.
    table.add_column("")
    for status in statuses:
        table.add_row(
            status.name,
            Text(status.state, STYLES[status.state]),
            str(status.pid or ""),
            str(status.restarts or ""),
            f"{resident_bytes(status.pid) / 1e6:.0f}" if status.pid else "",
            Text(status.note.split("\n", 1)[0] or status.address, "dim", no_wrap=True, overflow="ellipsis"),
        )
    return table
