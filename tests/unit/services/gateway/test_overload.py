"""Admission before a path of slots and answers, simulated: nothing sleeps, a seed repeats."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from services.gateway.domain.admission import Admission, Busy, Limits

Event = Literal["ask", "arrive", "word", "done", "beat"]

FIRST_WORD_S = 0.2


@dataclass
class Path:
    """Some slots, each busy for the time of an answer; gateways that see only their own turns."""

    slots: int
    work_s: float
    rate: Callable[[float], float]
    seconds: float
    gateways: int = 1
    stands_still: tuple[float, float] = (0.0, 0.0)
    # When, and by which gateway's turn; of waits how long.
    waits: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, int]] = field(default_factory=list)
    done: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(7)  # noqa: S311 - a seed that repeats
        self._houses = [Admission(Limits(1024, 8, 2.0, 120.0)) for _ in range(self.gateways)]
        self._asked: list[float] = []
        self._line: deque[int] = deque()
        self._free = self.slots
        self._events: list[tuple[float, int, Event]] = []

    def run(self) -> "Path":
        at = 0.0
        while at < self.seconds:
            at += self._chance.expovariate(self.rate(at))
            self._then(at, len(self._asked), "ask")
            self._asked.append(at)
        self._then(0.0, 0, "beat")
        happen: dict[Event, Callable[[float, int], None]] = {
            "ask": self._ask,
            "arrive": lambda _, number: self._line.append(number),
            "word": self._word,
            "done": self._done,
            "beat": self._beat,
        }
        while self._events:
            now, number, event = heapq.heappop(self._events)
            happen[event](now, number)
            self._begin(now)
        return self

    def _then(self, at: float, number: int, event: Event) -> None:
        heapq.heappush(self._events, (at, number, event))

    def _ask(self, now: float, number: int) -> None:
        if isinstance(self._houses[number % self.gateways].admit(str(number), now), Busy):
            self.refused.append((now, number % self.gateways))
        else:
            self._then(now + FIRST_WORD_S, number, "arrive")

    def _word(self, now: float, number: int) -> None:
        self._houses[number % self.gateways].replied(str(number), now, has_begun=True)
        self.waits.append((now, now - self._asked[number]))

    def _done(self, now: float, number: int) -> None:
        self._houses[number % self.gateways].release(str(number), now)
        self.done.append((now, number % self.gateways))
        self._free += 1

    def _beat(self, now: float, _number: int) -> None:
        """The answers that are being given go on."""
        if self._free < self.slots and not self._is_still(now):
            for house in self._houses:
                house.replied("any", now, has_begun=True)
        if now < self.seconds:
            self._then(now + 0.05, 0, "beat")

    def _begin(self, now: float) -> None:
        while self._free and self._line and not self._is_still(now):
            self._free -= 1
            number = self._line.popleft()
            self._then(now + 0.02, number, "word")
            self._then(now + 0.02 + self._chance.uniform(0.8, 1.2) * self.work_s, number, "done")

    def _is_still(self, now: float) -> bool:
        return self.stands_still[0] <= now < self.stands_still[1]

    def longest_wait(self, begin: float, end: float) -> float:
        return max((wait for now, wait in self.waits if begin <= now < end), default=0.0)

    def per_second(self, begin: float, end: float, gateway: int | None = None) -> float:
        done = [now for now, number in self.done if begin <= now < end and gateway in {None, number}]
        return len(done) / (end - begin)


def tenfold(capacity: float) -> Callable[[float], float]:
    return lambda at: 10 * capacity if 10 <= at < 40 else capacity / 2


def test_at_ten_times_its_capacity_the_path_stays_busy_and_nobody_waits_long() -> None:
    for slots, work_s in ((8, 0.8), (24, 0.64)):
        capacity = slots / (work_s + 0.02)
        path = Path(slots, work_s, tenfold(capacity), 60).run()
        assert path.per_second(12, 40) >= 0.9 * capacity
        assert path.longest_wait(0, 60) < 4.0


def test_five_seconds_after_it_all_is_as_before() -> None:
    path = Path(8, 0.8, tenfold(10), 60).run()
    assert path.longest_wait(45, 60) < 1.0
    assert not [now for now, _ in path.refused if now >= 45]


def test_half_the_capacity_is_never_refused() -> None:
    assert not Path(8, 0.8, lambda _: 5.0, 60).run().refused


def test_a_burst_into_free_slots_is_not_taken_for_overload() -> None:
    path = Path(64, 30.0, lambda at: 100.0 if at < 0.5 else 0.1, 40).run()
    assert not path.refused


def test_normal_traffic_is_let_in_while_a_stage_restarts_and_after() -> None:
    path = Path(32, 0.8, lambda _: 20.0, 60, stands_still=(20.0, 28.0)).run()
    assert len(path.refused) < 0.01 * len(path.done)


def test_two_gateways_share_what_there_is() -> None:
    path = Path(16, 0.8, tenfold(20), 60, gateways=2).run()
    shares = [path.per_second(15, 40, gateway) for gateway in (0, 1)]
    assert sum(shares) >= 0.9 * 19.5
    assert min(shares) > 0.7 * max(shares)
    assert path.longest_wait(0, 60) < 5.0
