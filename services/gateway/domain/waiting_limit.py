"""How many turns may wait for their first word: as many as the path begins within the time that people may wait.

Waiting, not in flight: how long an answer takes says how long it is, how long its first word takes says how full the
house is. (DAGOR judges overload by queueing time for the same reason: Zhou et al., "Overload Control for Scaling WeChat
Microservices", SoCC 2018.) The limit aims at Little's law, rate x time (Little 1961), as BBR caps what is in flight by
bandwidth x delay (Cardwell et al., ACM Queue 2016): upwards at once, and by the square root of Netflix'
concurrency-limits further, which lets a gateway with a small share catch up; downwards only under a standing queue,
since a burst drains by itself (CoDel: Nichols and Jacobson, ACM Queue 2012).
"""

import math
from typing import Final

_WINDOW_S: Final = 0.5
_STANDING_S: Final = 1.0
# Before anything was measured.
_FIRST: Final = 32
# How fast the idea of an unhurried wait follows slower models, longer prompts; faster ones it follows at once.
_RISE: Final = 0.05


class WaitingLimit:
    """Adapts by the waits it is told, in windows of half a second of any clock that only goes forward."""

    def __init__(self, *, floor: int, ceiling: int, queue_s: float) -> None:
        self._floor = min(floor, ceiling)
        self._ceiling = ceiling
        self._queue_s = queue_s
        self._limit = float(max(self._floor, min(_FIRST, ceiling)))
        self._unhurried_s: float | None = None
        self._window_ends = -math.inf
        self._waits: list[float] = []
        self._peak = 0
        self._standing_since: float | None = None

    @property
    def value(self) -> int:
        """The limit now."""
        return int(self._limit)

    @property
    def floor(self) -> int:
        """So many may wait on the slowest path."""
        return self._floor

    @property
    def target_s(self) -> float:
        """The longest wait that is aimed at: what it takes in an empty house, and the time in the queue."""
        return (self._unhurried_s or 0.0) + self._queue_s

    def seen(self, waiting: int) -> None:
        """Note how many wait."""
        self._peak = max(self._peak, waiting)

    def began(self, wait_s: float) -> None:
        """Note how long one waited that waits no more."""
        self._waits.append(wait_s)

    def adapt(self, now: float, per_second: float | None) -> None:
        """Close the window if its time has come. A path on which nothing begins has stalled: that is no measurement."""
        if now < self._window_ends:
            return
        if self._waits:
            self._judge(now, sum(self._waits) / len(self._waits), per_second)
        self._waits.clear()
        self._peak = 0
        self._window_ends = now + _WINDOW_S

    def _judge(self, now: float, wait_s: float, per_second: float | None) -> None:
        is_used = self._peak > self._limit / 2
        self._learn_unhurried(wait_s, is_used=is_used)
        bearable = (per_second or 0.0) * self.target_s
        if wait_s <= self.target_s:
            self._standing_since = None
            if is_used:
                more = min(2 * self._limit, bearable + math.sqrt(self._limit), self._ceiling)
                self._limit = max(self._limit, more)
            return
        if self._standing_since is None:
            self._standing_since = now
        if now - self._standing_since >= _STANDING_S:
            self._limit = max(self._floor, min(self._limit, bearable))

    def _learn_unhurried(self, wait_s: float, *, is_used: bool) -> None:
        if self._unhurried_s is None or wait_s < self._unhurried_s:
            self._unhurried_s = wait_s
        elif not is_used:
            # Never from a full house: the queue would become the measure of itself.
            self._unhurried_s += _RISE * (wait_s - self._unhurried_s)
