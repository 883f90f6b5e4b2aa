"""Lines that come in any order, written in theirs, and all at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

_NOT_YET: Final = ".partial"


class InOrder:
    """Holds back what comes before its turn. `expected` are the numbers in order, each written once."""

    def __init__(self, file: BinaryIO, expected: Iterator[int]) -> None:
        self._file = file
        self._expected = expected
        self._due = next(expected, None)
        self._early: dict[int, Any] = {}

    def add(self, number: int, content: Any) -> None:
        """Write the line, or keep it until those before it have come."""
        self._early[number] = content
        while self._due is not None and self._due in self._early:
            self._file.write(orjson.dumps(self._early.pop(self._due)) + b"\n")
            self._due = next(self._expected, None)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the path's place when all of it is written; until then it stands beside it as `.partial`."""
    partial = path.with_name(path.name + _NOT_YET)
    with partial.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
