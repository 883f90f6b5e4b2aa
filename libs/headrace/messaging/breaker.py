"""When a flood of failures means that the service, not its messages, is at fault. Pure: no clock, no I/O.

A bad deployment or a dependency that is away fails everything alike. Whoever then goes on moves a day's traffic to the
retry topics and the dead letters; whoever stops loses nothing but time.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Open after `consecutive` failures (0: never), or when `ratio` of the last `window` messages failed."""

    consecutive: int = 20
    ratio: float = 0.5
    window: int = 100
    # The rest before one message is tried again; it doubles with every try that fails, up to the ceiling.
    cooldown_s: float = 2.0
    ceiling_s: float = 60.0


class Breaker:
    """Counts what passed and what was given up; open, nothing runs but one message at a time, as a probe."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._recent: deque[bool] = deque(maxlen=policy.window)
        self._row = 0
        self.open = False
        self.cooldown_s = policy.cooldown_s

    def passed(self) -> None:
        """A message was worked off."""
        self._row = 0
        self._recent.append(True)

    def failed(self) -> bool:
        """A message is about to be given up; True: it must not be, the breaker is open."""
        if not self.open and self._policy.consecutive:
            self._row += 1
            self._recent.append(False)
            self.open = self._row >= self._policy.consecutive or self._flooded
        return self.open

    def probe_failed(self) -> None:
        """The message that was tried failed like the others: rest longer."""
        self.cooldown_s = min(self._policy.ceiling_s, 2 * self.cooldown_s)

    def close(self) -> None:
        """A probe passed: all is forgotten."""
        self.open = False
        self._row = 0
        self._recent.clear()
        self.cooldown_s = self._policy.cooldown_s

    @property
    def _flooded(self) -> bool:
        full = len(self._recent) == self._policy.window
        return full and self._recent.count(False) >= self._policy.ratio * self._policy.window
