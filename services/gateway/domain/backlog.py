"""What stands in front of the model, whoever sent it: the log's own lag, as time."""

from collections import deque
from typing import Final

_WINDOW_S: Final = 10.0
# A path on which nothing moves for this long is broken or restarting: its lag says nothing about its speed.
_STALLED_S: Final = 2.0
# Older than this it is hearsay.
_STALE_S: Final = 3.0


class Backlog:
    """Lag over throughput, both read off the consumer groups, so that all gateways and producers are in it."""

    def __init__(self) -> None:
        # Moment, and what had passed by then.
        self._passed: deque[tuple[float, int]] = deque()
        self._lag = 0
        self._noted_at: float | None = None
        self._moved_at = 0.0

    def note(self, now: float, *, lag: int, passed: int) -> None:
        """Take a reading: how many wait or are at work, and how many have ever come out at the end."""
        is_first = not self._passed
        if is_first or passed != self._passed[-1][1] or lag == 0:
            self._moved_at = now
        if not is_first and now - self._moved_at > _STALLED_S:
            # What is measured next must not be spread over the time in which nothing moved.
            self._passed.clear()
        self._passed.append((now, passed))
        while self._passed[0][0] < now - _WINDOW_S:
            self._passed.popleft()
        self._lag = lag
        self._noted_at = now

    def wait_s(self, now: float, *, work_s: float) -> float | None:
        """How long a newcomer would wait, beside the `work_s` that it is at work itself; None where nobody can say."""
        if self._noted_at is None or now - self._noted_at > _STALE_S or now - self._moved_at > _STALLED_S:
            return None
        (began, before), (ended, after) = self._passed[0], self._passed[-1]
        if after <= before or ended <= began:
            return None
        return max(0.0, self._lag * (ended - began) / (after - before) - work_s)
