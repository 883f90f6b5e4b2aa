"""A log in memory: topics, partitions, offsets, groups and rebalances, without a broker.

For schedules that a broker cannot be forced into, and for speed. The cases in `tests/delivery` run on it and on Kafka.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.outlet import FencedPublisher
from headrace.messaging.records import Received, TopicPartition, lenient
from headrace.messaging.transport import Intake, Mark, NotOurs
from headrace.messaging.wire import encoded


class MemoryLog:
    """What a broker keeps."""

    def __init__(self, partitions: int = 1, clock: Clock | None = None) -> None:
        self.partitions = partitions
        self.clock = clock or SystemClock()
        self.records: dict[TopicPartition, list[Received]] = defaultdict(list)
        self.committed: dict[tuple[str, TopicPartition], int] = {}
        self.notes: dict[tuple[str, TopicPartition], str] = {}
        self.members: dict[str, list[MemorySubscription]] = defaultdict(list)
        self.commits: list[tuple[str, TopicPartition, int]] = []
        self._appended = asyncio.Event()

    def append(
        self, topic: str, value: bytes | None, *, key: bytes | None = None, headers: Collection[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> Received:  # fmt: skip
        if partition is None:
            partition = zlib.crc32(key or b"") % self.partitions
        place = TopicPartition(topic, partition)
        raw = tuple(headers)
        record = Received(
            topic, partition, len(self.records[place]), self.clock.now_ms(), key, value, raw, lenient(raw)
        )  # fmt: skip
        self.records[place].append(record)
        self._appended.set()
        self._appended = asyncio.Event()
        return record

    def of(self, topic: str) -> list[Received]:
        """Every record of a topic, partition by partition."""
        return [record for place, records in self.records.items() if place.topic == topic for record in records]

    def appended(self) -> asyncio.Event:
        """Set by the next record; to be taken before one looks whether there is one."""
        return self._appended


@dataclass
class MemoryPublisher:
    log: MemoryLog
    # Set to make the broker refuse.
    refusing: list[Exception] = field(default_factory=list)

    async def publish(self, outgoing: Outgoing) -> None:
        await asyncio.sleep(0)
        if self.refusing:
            raise self.refusing.pop(0)
        sent = encoded(outgoing)
        self.log.append(sent.topic, sent.value, key=sent.key, headers=sent.headers, partition=sent.partition)


class MemoryTransport:
    """One process's connection to a `MemoryLog`."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.publisher = MemoryPublisher(log)
        self.subscriptions: list[MemorySubscription] = []

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> "MemorySubscription":
        subscription = MemorySubscription(self.log, group, frozenset(topics), intake, self.publisher)
        self.subscriptions.append(subscription)
        asyncio.get_running_loop().call_soon(subscription.join)
        return subscription

    async def close(self) -> None:
        for subscription in self.subscriptions:
            await subscription.leave()

    def crash(self) -> None:
        """As by SIGKILL: nothing more is read or committed, nobody is told."""
        for subscription in self.subscriptions:
            subscription.crash()


class MemorySubscription:
    """A member of a group."""

    def __init__(
        self, log: MemoryLog, group: str, topics: frozenset[str], intake: Intake, publisher: Publisher
    ) -> None:
        self._log, self._group, self._topics, self._intake = log, group, topics, intake
        self._publisher = publisher
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._task: asyncio.Task[None] | None = None
        self._dead = False
        self._wake = asyncio.Event()

    def join(self) -> None:
        self._log.members[self._group].append(self)
        self._task = asyncio.create_task(self._read())
        self._rebalancing = asyncio.create_task(_rebalance(self._log, self._group))

    async def leave(self) -> None:
        if self._dead:
            return
        self._stop()
        await _rebalance(self._log, self._group)

    def crash(self) -> None:
        self._stop()

    def _stop(self) -> None:
        self._dead = True
        if self in self._log.members[self._group]:
            self._log.members[self._group].remove(self)
        if self._task:
            self._task.cancel()

    async def commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        await asyncio.sleep(0)
        if self._dead:
            raise NotOurs("the member is dead")
        for place, mark in marks.items():
            if place not in self._positions:
                raise NotOurs(f"{place} belongs to another")
            self._log.committed[self._group, place] = mark.offset
            self._log.notes[self._group, place] = mark.note
            self._log.commits.append((self._group, place, mark.offset))

    def annotates(self, place: TopicPartition) -> bool:
        return True

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self._paused |= set(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self._paused -= set(partitions)
        self._wake.set()

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._positions)

    def holds(self, place: TopicPartition) -> bool:
        return not self._dead and place in self._positions

    def outlet(self, record: Received) -> Publisher:
        return FencedPublisher(self._publisher, self.holds, record.home)

    def afresh(self, record: Received) -> None:
        """What was published is in the log: nothing is held back here."""

    async def reassign(self, places: Collection[TopicPartition]) -> None:
        self._positions = {place: self._log.committed.get((self._group, place), 0) for place in places}
        self._paused.clear()
        self._intake.assigned(places)
        notes = self._log.notes
        self._intake.remember(
            {place: Mark(at, notes.get((self._group, place), "")) for place, at in self._positions.items()}
        )
        self._wake.set()

    async def revoke(self) -> None:
        await self._intake.revoked(list(self._positions))

    async def _read(self) -> None:
        while True:
            self._wake.clear()
            appended = self._log.appended()
            for place in list(self._positions):
                while place not in self._paused and place in self._positions:
                    position = self._positions[place]
                    if position >= len(self._log.records[place]):
                        break
                    self._positions[place] = position + 1
                    self._intake.receive(self._log.records[place][position])
                    await asyncio.sleep(0)
            if not self._wake.is_set() and not appended.is_set():
                waiting = [asyncio.ensure_future(event.wait()) for event in (appended, self._wake)]
                try:
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in waiting:
                        each.cancel()

    @property
    def topics(self) -> frozenset[str]:
        return self._topics


async def _rebalance(log: MemoryLog, group: str) -> None:
    """Eager, as aiokafka's assignors are: everything is taken from everybody, then dealt out anew."""
    members = list(log.members[group])
    for member in members:
        await member.revoke()
    places = sorted({TopicPartition(topic, n) for m in members for topic in m.topics for n in range(log.partitions)})
    for index, member in enumerate(members):
        await member.reassign([place for at, place in enumerate(places) if at % len(members) == index])
