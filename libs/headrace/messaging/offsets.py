"""Which offset of a partition may be committed while its records finish in any order.

Pure: no clock, no I/O. Only offsets that were delivered are counted, so that gaps (transaction markers, compaction)
never hold a commit back.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from headrace.messaging.ahead import Run, written


class PartitionProgress:
    """The open and finished offsets of one partition; `begun` counts what earlier owners have begun and not ended."""

    def __init__(self, begun: Mapping[int, int] = MappingProxyType({})) -> None:
        self._open: deque[int] = deque()
        self._finished: set[int] = set()
        self._next: int | None = None
        self._committed: tuple[int, str] | None = None
        self._begun = dict(begun)
        # The note on all this; None: not known as long as nobody asks.
        self._said: str | None = None

    def start(self, offset: int) -> bool:
        """Note a delivered offset. False: it is a repeat of one that is open or finished, and nothing is to be done."""
        if self._next is not None and offset < self._next:
            return False
        if not self._open:
            # The note counts from the first that is open.
            self._said = None
        self._open.append(offset)
        self._next = offset + 1
        return True

    def begun(self, offset: int) -> int:
        """How many processes have begun to work on an open offset, this one included once it has."""
        return self._begun.get(offset, 0)

    def begin(self, offset: int) -> None:
        """Note that an open offset is at work from now on."""
        self._begun[offset] = self.begun(offset) + 1
        self._said = None

    def leave(self, offset: int) -> None:
        """Note that it is not at work any more, by this process's own will."""
        if offset in self._begun:
            self._begun[offset] -= 1
            if not self._begun[offset]:
                del self._begun[offset]
            self._said = None

    def finish(self, offset: int) -> None:
        """Note that the effects of an offset are acknowledged; saying so twice is harmless."""
        if not self._open or offset < self._open[0]:
            return
        self._finished.add(offset)
        self._begun.pop(offset, None)
        self._said = None
        while self._open and self._open[0] in self._finished:
            self._finished.discard(self._open.popleft())

    def committable(self, *, noted: bool) -> tuple[int, str] | None:
        """The offset to commit, with a note on what is beyond it where that is wanted; None: nothing is new.

        The offset is that of the next record to be read after a restart.
        """
        if self._position is None:
            return None
        said = self._position, self._note(self._position) if noted else ""
        return said if said != self._committed else None

    def committed(self, offset: int, ahead: str = "") -> None:
        """Note what the broker has acknowledged."""
        self._committed = offset, ahead

    @property
    def _position(self) -> int | None:
        return self._open[0] if self._open else self._next

    def _note(self, position: int) -> str:
        if self._said is None:
            begun = {offset: count for offset, count in self._begun.items() if offset >= position}
            self._said = written(position, self._runs() if self._finished else (), begun)
        return self._said

    def _runs(self) -> Iterator[Run]:
        """What is finished behind the first that is open, from the left."""
        left, first, last = len(self._finished), -1, -1
        for offset in self._open:
            if offset in self._finished:
                left -= 1
                first, last = offset if first < 0 else first, offset
                continue
            if first >= 0:
                yield first, last
                first = -1
            if not left:
                return
        if first >= 0:
            yield first, last

    @property
    def outstanding(self) -> int:
        """How many delivered offsets the commit has not passed."""
        return len(self._open)
