"""Which offset of a partition may be committed while its records finish in any order.

Pure: no clock, no I/O. Only offsets that were delivered are counted, so that gaps (transaction markers, compaction)
never hold a commit back.
"""

from collections import deque


class PartitionProgress:
    """The open and finished offsets of one partition."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._finished: set[int] = set()
        self._next: int | None = None
        self._committed: int | None = None

    def start(self, offset: int) -> bool:
        """Note a delivered offset. False: it is a repeat of one that is open or finished, and nothing is to be done."""
        if self._next is not None and offset < self._next:
            return False
        self._open.append(offset)
        self._next = offset + 1
        return True

    def finish(self, offset: int) -> None:
        """Note that the effects of an offset are acknowledged; saying so twice is harmless."""
        if not self._open or offset < self._open[0]:
            return
        self._finished.add(offset)
        while self._open and self._open[0] in self._finished:
            self._finished.discard(self._open.popleft())

    def committable(self) -> int | None:
        """The offset to commit (the next to be read after a restart), or None if there is nothing new to say."""
        position = self._open[0] if self._open else self._next
        return position if position != self._committed else None

    def committed(self, offset: int) -> None:
        """Note what the broker has acknowledged."""
        self._committed = offset

    @property
    def outstanding(self) -> int:
        """How many delivered offsets the commit has not passed."""
        return len(self._open)
