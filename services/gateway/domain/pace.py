"""How fast turns begin where turns wait, and what the path owes after it stood still."""

import math
from typing import Final

# What lies this far back, in busy seconds, weighs a third.
_MEMORY_S: Final = 5.0
# No reply for this long, or for this many times the gap between two turns: it stands still, as when a stage restarts.
_STALL_S: Final = 1.0
_STALL_GAPS: Final = 4.0
_LONGEST_STALL_S: Final = 60.0


class Pace:
    """Turns begun per busy second: a quiet hour does not look like a slow path, nor does one that stands still."""

    def __init__(self) -> None:
        self._at = 0.0
        self._begun = 0.0
        self._busy_s = 0.0
        self._owed = 0.0
        # When a reply came last, or when a turn came to wait where none did; None: none waits.
        self._moved_at: float | None = None

    @property
    def per_second(self) -> float | None:
        """None until something began."""
        return self._begun / self._busy_s if self._begun and self._busy_s else None

    @property
    def owed(self) -> int:
        """How many would have begun while the path stood still: they wait though nobody sent too many."""
        return int(self._owed)

    def advance(self, now: float, *, waiting: bool) -> None:
        """Let the time pass since the last call, in which turns waited or none did."""
        since, self._at = self._at, now
        if not waiting:
            self._moved_at = None
            return
        if self._moved_at is None:
            self._moved_at = since
        rate = self.per_second
        stalls_at = self._moved_at + (max(_STALL_S, _STALL_GAPS / rate) if rate else _STALL_S)
        self._work(max(0.0, min(now, stalls_at) - since))
        if rate:
            stalled_s = max(0.0, now - max(since, stalls_at))
            self._owed = min(self._owed + rate * stalled_s, rate * _LONGEST_STALL_S)

    def begin(self) -> None:
        """Note that a turn began, at the time of the last `advance`."""
        self._begun += 1
        # By halves: who comes while the path makes up for it is not to pay for it.
        self._owed = max(0.0, self._owed - 0.5)

    def move(self) -> None:
        """Note that a reply came, any at all: where long answers fill every slot no turn begins, and none is owed."""
        self._moved_at = self._at

    def _work(self, elapsed_s: float) -> None:
        kept = math.exp(-elapsed_s / _MEMORY_S)
        self._begun *= kept
        # The integral of the same decay: a steady rate is then measured as what it is from its first second on.
        self._busy_s = self._busy_s * kept + _MEMORY_S * (1 - kept)
