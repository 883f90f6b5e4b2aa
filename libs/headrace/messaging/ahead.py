"""What was finished beyond a committed offset, as the note that the broker keeps beside it.

A commit is one number, and what was finished behind a slow message would be done again after a crash. The note says
which offsets those are (`117:2,4-9`, counted from the committed one), so that the next owner passes over them. Whatever
does not fit is left out and done again. (Confluent's Parallel Consumer for Java keeps the same in the same place.)
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Final

# A broker takes 4096 bytes (`offset.metadata.max.bytes`).
LONGEST: Final = 4000
_NOTE: Final = re.compile(r"([0-9]{1,19}):([0-9]{1,19}(?:-[0-9]{1,19})?(?:,[0-9]{1,19}(?:-[0-9]{1,19})?)*)")

# First and last offset; what lies between them and was never delivered does not matter.
Run = tuple[int, int]


def written(committed: int, runs: Iterable[Run]) -> str:
    """The note; empty if there is nothing to say."""
    note = ""
    for first, last in runs:
        said = f"{first - committed}" if first == last else f"{first - committed}-{last - committed}"
        longer = f"{note},{said}" if note else f"{committed}:{said}"
        if len(longer) > LONGEST:
            break
        note = longer
    return note


class Ahead:
    """The offsets of a note. One that is of another commit, or no note of ours, has none."""

    def __init__(self, committed: int, note: str) -> None:
        self._runs: deque[Run] = deque()
        found = _NOTE.fullmatch(note)
        if found and int(found[1]) == committed:
            for said in found[2].split(","):
                first, _, last = said.partition("-")
                self._runs.append((committed + int(first), committed + int(last or first)))

    def passes(self, offset: int) -> bool:
        """Whether this offset was finished; to be asked in the order of the log."""
        while self._runs and offset > self._runs[0][1]:
            self._runs.popleft()
        return bool(self._runs) and self._runs[0][0] <= offset
