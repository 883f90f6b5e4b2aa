"""What an engine was asked for and what the ledger made final: one line each, written before the next thing happens.

A line is one `write` to a file opened for appending, so that it survives a kill -9 in the next instant and lines of
several processes do not mix. Times are of the machine's monotonic clock, the same for all processes.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Deed = Literal["generated", "committed"]


@dataclass(frozen=True, slots=True)
class Line:
    """`generated`: an engine is about to be asked; `committed`: the ledger has said that the result is final."""

    at_ns: int
    deed: Deed
    turn_id: str
    attempt: int = 0


class Journal:
    """The writing side, one a process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, deed: Deed, turn_id: str, attempt: int = 0) -> None:
        """Note a deed of now."""
        os.write(self._file, f"{time.monotonic_ns()} {deed} {turn_id} {attempt}\n".encode())


def read_journal(path: Path) -> Iterator[Line]:
    """All lines so far."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            at, deed, turn_id, attempt = line.split()
            yield Line(int(at), "generated" if deed == "generated" else "committed", turn_id, int(attempt))
