"""What was finished and what was begun beyond a committed offset, as the note that the broker keeps beside it.

A commit is one number, and what was finished behind a slow message would be done again after a crash. The note says
which offsets those are (`117:2,4-9`, counted from the committed one), so that the next owner passes over them. Whatever
does not fit is left out and done again. (Confluent's Parallel Consumer for Java keeps the same in the same place.)

Behind a semicolon it says what is at work, and how many processes have begun it by now (`117:2,4-9;0*3,1*1`): one that
dies of a record leaves its count to the next.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

# A broker takes 4096 bytes (`offset.metadata.max.bytes`).
LONGEST: Final = 4000
_RUN: Final = r"[0-9]{1,19}(?:-[0-9]{1,19})?"
_BEGUN: Final = r"[0-9]{1,19}\*[0-9]{1,6}"
_NOTE: Final = re.compile(rf"([0-9]{{1,19}}):({_RUN}(?:,{_RUN})*)?(?:;({_BEGUN}(?:,{_BEGUN})*))?")
# No more runs at once in one process: what is at work leaves most of the note to what is finished.
_MOST_BEGUN: Final = 128

# First and last offset; what lies between them and was never delivered does not matter.
Run = tuple[int, int]


def written(committed: int, runs: Iterable[Run], begun: Mapping[int, int] = MappingProxyType({})) -> str:
    """The note; empty if there is nothing to say. `begun` counts by offset."""
    at_work = ",".join(f"{offset - committed}*{begun[offset]}" for offset in sorted(begun)[:_MOST_BEGUN])
    end = f";{at_work}" if at_work else ""
    note = f"{committed}:"
    for first, last in runs:
        said = f"{first - committed}" if first == last else f"{first - committed}-{last - committed}"
        longer = f"{note}{said}" if note.endswith(":") else f"{note},{said}"
        if len(longer) + len(end) > LONGEST:
            break
        note = longer
    return "" if note.endswith(":") and not end else note + end


class Ahead:
    """The offsets of a note. One that is of another commit, or no note of ours, has none."""

    def __init__(self, committed: int, note: str) -> None:
        self._runs: deque[Run] = deque()
        # How many processes have begun an offset and not ended it.
        self.begun: dict[int, int] = {}
        found = _NOTE.fullmatch(note)
        if not found or int(found[1]) != committed:
            return
        for said in filter(None, (found[2] or "").split(",")):
            first, _, last = said.partition("-")
            self._runs.append((committed + int(first), committed + int(last or first)))
        for said in filter(None, (found[3] or "").split(",")):
            offset, _, count = said.partition("*")
            self.begun[committed + int(offset)] = int(count)

    def passes(self, offset: int) -> bool:
        """Whether this offset was finished; to be asked in the order of the log."""
        while self._runs and offset > self._runs[0][1]:
            self._runs.popleft()
        return bool(self._runs) and self._runs[0][0] <= offset
