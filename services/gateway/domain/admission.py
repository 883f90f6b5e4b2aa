"""Who is let in: overload is refused here, before it costs anything behind Kafka."""

import math
from dataclasses import dataclass

# How much the latest turn weighs in the running mean of how long turns take.
_WEIGHT = 0.2
_MAX_RETRY_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Admitted:
    """Let in; the place is held until it is released."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Too much is in flight; by then a place is likely to be free."""

    retry_after_s: int
    limit: int


class Admission:
    """At most `limit` turns in flight. Times are seconds of any clock that only goes forward."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: dict[str, float] = {}
        self._mean_s = 1.0

    @property
    def in_flight(self) -> int:
        """How many turns are let in and not yet done."""
        return len(self._since)

    def admit(self, turn_id: str, now: float) -> Admitted | Busy:
        """Take a place for this turn, if there is one."""
        if turn_id not in self._since and len(self._since) >= self._limit:
            # A full house frees a place every mean/limit seconds.
            wait = math.ceil(self._mean_s / self._limit)
            return Busy(retry_after_s=min(max(wait, 1), _MAX_RETRY_AFTER_S), limit=self._limit)
        self._since.setdefault(turn_id, now)
        return Admitted()

    def release(self, turn_id: str, now: float) -> None:
        """Give the place back; a second time changes nothing."""
        since = self._since.pop(turn_id, None)
        if since is not None:
            self._mean_s += _WEIGHT * (now - since - self._mean_s)
