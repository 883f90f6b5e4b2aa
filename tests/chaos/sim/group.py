"""A consumer group as its coordinator sees it: members, generations, eager rebalances, static places, commits."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from headrace.messaging.records import TopicPartition
from headrace.messaging.transport import Mark, NotOurs
from tests.chaos.sim.log import SimLog
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.process import Process

SESSION_S: Final = 10.0
HEARTBEAT_S: Final = 2.0
REBALANCE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Dealt:
    """What a member gets out of a rebalance."""

    generation: int
    places: frozenset[TopicPartition]


class Client(Protocol):
    """A member, as far as its coordinator can reach it."""

    context: Context

    def rejoin(self) -> None:
        """The heartbeat says that the group is dealing anew, or that it goes on without this member."""
        ...


@dataclass(eq=False, slots=True)
class Seat:
    """One member's place."""

    client: Client
    process: Process
    instance: str
    topics: frozenset[str]
    joined: "asyncio.Future[Dealt] | None" = None
    dealt: Dealt = Dealt(0, frozenset())
    # Since when nothing was heard of a member whose session ended while it waited for the partitions to be dealt.
    silent_since: float | None = None


class Group:
    """All of one group. Runs in the world: no process's death stops it."""

    def __init__(self, name: str, loop: VirtualLoop, log: SimLog, choice: Random) -> None:
        self.name = name
        self._loop, self._log, self._choice = loop, log, choice
        self._generation = 0
        self._seats: list[Seat] = []
        self._preparing = False
        self._round = 0
        self.rebalances = 0
        self.committed: dict[TopicPartition, int] = {}
        self.notes: dict[TopicPartition, str] = {}
        self.topics: frozenset[str] = frozenset()
        self.watchers: list[Callable[[Group, TopicPartition, int, int, Process], None]] = []

    def join(self, seat: Seat) -> None:
        """Take a place, or take it again; `seat.joined` resolves once the partitions are dealt."""
        self.topics |= seat.topics
        old = next((each for each in self._seats if seat.instance and each.instance == seat.instance), None)
        if old is not None and old is not seat:
            self._seats[self._seats.index(old)] = seat
            if not self._preparing and old.topics == seat.topics and old.dealt.generation == self._generation:
                # A static member that came back: its partitions waited for it, and its former self is fenced.
                seat.dealt = old.dealt
                self._answer(seat)
                return
        elif old is None and seat not in self._seats:
            self._seats.append(seat)
        if not seat.process.alive:
            # The request was on its way when the process ended: no heartbeat will follow it.
            self._loop.at(SESSION_S, self._expire_if_silent, seat, self._loop.time())
        self.rebalance()
        self._complete_if_all()

    def leave(self, seat: Seat) -> None:
        """Give the place up; of a static member it is kept until its session ends."""
        if seat.instance:
            self._loop.at(SESSION_S, self._expire, seat)
        else:
            self._expire(seat)

    def silent(self, process: Process) -> None:
        """No heartbeat comes from this process any more: its session ends if none comes in time."""
        for seat in self._seats:
            if seat.process is process:
                self._loop.at(SESSION_S, self._expire_if_silent, seat, self._loop.time())

    def rebalance(self) -> None:
        """Deal anew: every member is told with its next heartbeat."""
        if self._preparing:
            return
        self._preparing = True
        self._round += 1
        for seat in self._seats:
            if seat.joined is None:
                self._tell(seat)
        self._loop.at(REBALANCE_S, self._go_on_without, self._round)

    def commit(self, seat: Seat, generation: int, marks: Mapping[TopicPartition, Mark]) -> None:
        """Keep offsets of a member of this generation; `NotOurs` for any other."""
        if seat not in self._seats or generation != self._generation:
            raise NotOurs(f"generation {generation} of {self.name} is over")
        self.notes |= {place: mark.note for place, mark in marks.items()}
        self.keep(seat.process, {place: mark.offset for place, mark in marks.items()})

    def keep(self, process: Process, offsets: Mapping[TopicPartition, int]) -> None:
        """Keep offsets of a transaction, which come without a generation."""
        for place, offset in offsets.items():
            before = self.committed.get(place, 0)
            self.committed[place] = offset
            for watcher in self.watchers:
                watcher(self, place, before, offset, process)

    def knows(self, seat: Seat) -> bool:
        """Whether heartbeats of this member are answered."""
        return seat in self._seats

    def marks(self, places: Collection[TopicPartition]) -> dict[TopicPartition, Mark]:
        """Where to read on, and what stands beside it."""
        return {place: Mark(self.committed.get(place, 0), self.notes.get(place, "")) for place in places}

    def lag(self) -> dict[TopicPartition, int]:
        """How many offsets of each partition are not committed; only those that lag."""
        behind = {
            place: self._log.last(place) + 1 - self.committed.get(place, 0) for place in self._log.places(self.topics)
        }
        return {place: offsets for place, offsets in behind.items() if offsets > 0}

    def _tell(self, seat: Seat) -> None:
        delay_s = HEARTBEAT_S * self._choice.random()
        self._loop.call_later(delay_s, seat.client.rejoin, context=seat.client.context)

    def _expire_if_silent(self, seat: Seat, since_s: float) -> None:
        # One that was paused, went on and is paused again was heard of in between.
        frozen = seat.process.frozen and seat.process.frozen_s <= since_s
        if not frozen and seat.process.alive:
            return
        if seat.joined is not None:
            # Whoever waits for the partitions to be dealt needs no heartbeat until they are.
            seat.silent_since = since_s
        else:
            self._expire(seat)

    def _expire(self, seat: Seat) -> None:
        if seat not in self._seats:
            return
        self._seats.remove(seat)
        self._tell(seat)
        if self._seats:
            self.rebalance()
            self._complete_if_all()
        else:
            self._preparing = False
            self._generation += 1

    def _go_on_without(self, round_: int) -> None:
        if not self._preparing or round_ != self._round:
            return
        for seat in [each for each in self._seats if each.joined is None and not each.instance]:
            self._seats.remove(seat)
            self._tell(seat)
        self._complete()

    def _complete_if_all(self) -> None:
        if self._preparing and all(seat.joined is not None for seat in self._seats):
            self._complete()

    def _complete(self) -> None:
        self._preparing = False
        self._generation += 1
        self.rebalances += 1
        places = self._log.places(self.topics)
        hands: list[set[TopicPartition]] = [set() for _ in self._seats]
        for place in places:
            able = [index for index, seat in enumerate(self._seats) if place.topic in seat.topics]
            if able:
                hands[self._choice.choice(able)].add(place)
        for seat, hand in zip(self._seats, hands, strict=True):
            seat.dealt = Dealt(self._generation, frozenset(hand))
            if seat.joined is not None:
                self._answer(seat)
            if seat.silent_since is not None:
                self._loop.at(SESSION_S, self._expire_if_silent, seat, seat.silent_since)
                seat.silent_since = None

    def _answer(self, seat: Seat) -> None:
        joined, seat.joined = seat.joined, None
        if joined is not None:
            self._loop.at(0.001 + 0.02 * self._choice.random(), _resolve, joined, seat.dealt)


def _resolve(joined: "asyncio.Future[Dealt]", dealt: Dealt) -> None:
    if not joined.done():
        joined.set_result(dealt)
