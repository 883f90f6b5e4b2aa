"""Who is let in: overload is refused here, before it costs anything behind Kafka."""

import math
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.gateway.domain.backlog import Backlog
from services.gateway.domain.pace import Pace
from services.gateway.domain.waiting_limit import WaitingLimit

_MAX_RETRY_AFTER_S: Final = 60
# Own measurements older than this count for less than the log's lag.
_FRESH_S: Final = 5.0
# How much the latest answer weighs in the running mean of how long the model works.
_WEIGHT: Final = 0.1


class Cause(Enum):
    """Why somebody is not let in."""

    # As many wait as the path begins in time.
    FULL = "full"
    # Others wait as well, and this client has its share.
    SHARE = "share"
    # By the time it is answered its deadline has passed.
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Let in; the place is held until it is released."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now; by then those who were sent away before are likely to have been served."""

    retry_after_s: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class Limits:
    """How many turns this gateway holds at most, how many may always wait, and how long waiting is bearable."""

    in_flight: int
    waiting: int
    queue_s: float
    deadline_s: float


@dataclass(frozen=True, slots=True)
class _Place:
    client: str
    since: float


class Admission:
    """Places for turns: first all wait, then they have begun. Times are seconds of a clock that only goes forward."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # In the order in which they came.
        self._waiting: dict[str, _Place] = {}
        self._begun: set[str] = set()
        self._clients: Counter[str] = Counter()
        self._limit = WaitingLimit(floor=limits.waiting, ceiling=limits.in_flight, queue_s=limits.queue_s)
        self._pace = Pace()
        self._began_at = -math.inf
        self._work_s = 0.0
        # How many were sent away and, at the path's rate, would not have been served yet.
        self._outside = 0.0
        self._outside_at = 0.0
        self.backlog = Backlog()

    @property
    def in_flight(self) -> int:
        """How many turns are let in and not yet done."""
        return len(self._waiting) + len(self._begun)

    @property
    def waiting(self) -> int:
        """How many of them have no word yet."""
        return len(self._waiting)

    @property
    def limit(self) -> int:
        """How many may wait now: those that the path begins in time, and those that a stall has kept from it."""
        return self._limit.value + self._pace.owed

    def admit(self, turn_id: str, now: float, *, client: str = "", timeout_s: float | None = None) -> Admitted | Busy:
        """Take a place for this turn, if there is one. `client` shares fairly with the others; empty: is alone."""
        if turn_id in self._waiting or turn_id in self._begun:
            return Admitted()
        self._pass(now)
        self._limit.adapt(now, self._pace.per_second)
        client = client or turn_id
        cause = self._cause(now, client, min(timeout_s or math.inf, self._limits.deadline_s))
        if cause is not None:
            self._limit.seen(self._limit.value)
            return Busy(self._retry_after_s(), cause)
        self._waiting[turn_id] = _Place(client, now)
        self._clients[client] += 1
        self._limit.seen(len(self._waiting))
        return Admitted()

    def replied(self, turn_id: str, now: float, *, has_begun: bool) -> None:
        """A reply came. With its first word a turn waits no more, and its wait is a measurement."""
        self._pass(now)
        self._pace.move()
        place = self._waiting.get(turn_id) if has_begun else None
        if place is None:
            return
        self._leave(turn_id)
        self._begun.add(turn_id)
        self._pace.begin()
        self._began_at = now
        self._limit.began(now - place.since)
        self._limit.adapt(now, self._pace.per_second)

    def worked(self, work_s: float) -> None:
        """Note how long the model worked on an answer."""
        self._work_s += _WEIGHT * (work_s - self._work_s) if self._work_s else work_s

    def release(self, turn_id: str, now: float) -> None:
        """Give the place back; a second time changes nothing."""
        self._pass(now)
        self._begun.discard(turn_id)
        self._leave(turn_id)

    def _cause(self, now: float, client: str, timeout_s: float) -> Cause | None:
        if self._expected_wait_s(now) > timeout_s:
            return Cause.LATE
        waiting, limit = len(self._waiting), self.limit
        if waiting >= limit or self.in_flight >= self._limits.in_flight or self._is_behind(now):
            return Cause.FULL
        if waiting >= limit // 2 and self._clients[client] >= self._share(client, limit):
            return Cause.SHARE
        return None

    def _share(self, client: str, limit: int) -> int:
        others = len(self._clients) - (client in self._clients)
        return max(1, limit // (others + 1))

    def _expected_wait_s(self, now: float) -> float:
        if not self._waiting:
            return 0.0
        rate = self._pace.per_second
        # The first in line has waited so long already: it shows a path that stands still.
        first = now - next(iter(self._waiting.values())).since
        return max(first, len(self._waiting) / rate if rate else 0.0)

    def _is_behind(self, now: float) -> bool:
        """Whether the log says that others fill the path, where nothing that began here lately says otherwise."""
        if len(self._waiting) < self._limit.floor or now - self._began_at < _FRESH_S:
            return False
        wait_s = self.backlog.wait_s(now, work_s=self._work_s)
        return wait_s is not None and wait_s > self._limit.target_s

    def _retry_after_s(self) -> int:
        # Everybody who is sent away stands in a line outside that moves as fast as the path: each gets a later time,
        # so that they neither come back all at once nor sooner than it can be worth it.
        rate = self._pace.per_second or 1.0
        self._outside = min(self._outside + 1, rate * _MAX_RETRY_AFTER_S)
        return min(max(math.ceil(self._outside / rate), 1), _MAX_RETRY_AFTER_S)

    def _pass(self, now: float) -> None:
        self._pace.advance(now, waiting=bool(self._waiting))
        self._outside = max(0.0, self._outside - (now - self._outside_at) * (self._pace.per_second or 1.0))
        self._outside_at = now

    def _leave(self, turn_id: str) -> None:
        place = self._waiting.pop(turn_id, None)
        if place is None:
            return
        self._clients[place.client] -= 1
        if not self._clients[place.client]:
            del self._clients[place.client]
