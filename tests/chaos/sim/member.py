"""A process's connection to the simulated log: it publishes, and holds a place in a consumer group."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final

from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.kafka import MAX_MESSAGE_BYTES
from headrace.messaging.outlet import FencedPublisher
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transactions import Transactions
from headrace.messaging.transport import Intake, Mark, NotOurs
from headrace.messaging.wire import encoded
from tests.chaos.sim.broker import Broker
from tests.chaos.sim.group import HEARTBEAT_S, Dealt, Group, Seat
from tests.chaos.sim.network import Channel
from tests.chaos.sim.process import PROCESS, Process
from tests.chaos.sim.transactions import SimProducers

_PUBLISH_TIMEOUT_S: Final = 30.0
_COMMIT_TIMEOUT_S: Final = 10.0
# How long a member calls itself one without an answer to a heartbeat, and how long an answer takes at most.
_CERTAIN_S: Final = 8.0
_ANSWER_S: Final = 0.05


@dataclass(eq=False)
class SimPublisher:
    """Publishes in order, as an idempotent producer does; acknowledgements may get lost."""

    broker: Broker
    channel: Channel

    async def publish(self, outgoing: Outgoing) -> None:
        sent = encoded(outgoing)
        await self.broker.network.ask(
            sent.topic,
            lambda: self.broker.log.append(
                sent.topic, sent.value, key=sent.key, headers=sent.headers, partition=sent.partition
            ),
            timeout_s=_PUBLISH_TIMEOUT_S,
            channel=self.channel,
        )


class SimTransport:
    """One process's connection."""

    def __init__(self, broker: Broker, *, instance: str = "") -> None:
        self._broker = broker
        self.exactly_once: Callable[[str], bool] = lambda _topic: False
        # Empty: a dynamic member.
        self._instance = instance
        self.publisher = SimPublisher(broker, Channel())
        self.subscriptions: list[SimSubscription] = []

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> "SimSubscription":
        place = self._broker.group(group)
        subscription = SimSubscription(
            self._broker, place, frozenset(topics), intake=intake, publisher=self.publisher, instance=self._instance,
            exactly_once=frozenset(filter(self.exactly_once, topics)),
        )  # fmt: skip
        self.subscriptions.append(subscription)
        subscription.start()
        return subscription

    async def close(self) -> None:
        for subscription in self.subscriptions:
            await subscription.close()


class SimSubscription:
    """A member: one task that joins again and again, one that reads."""

    def __init__(
        self,
        broker: Broker,
        group: Group,
        topics: frozenset[str],
        *,
        intake: Intake,
        publisher: Publisher,
        instance: str,
        exactly_once: frozenset[str],
    ) -> None:
        self._broker, self._group, self._intake, self._publisher = broker, group, intake, publisher
        self.context = copy_context()
        process = PROCESS.get()
        assert process is not None, "subscribed outside of a process"
        self._seat = Seat(self, process, f"{group.name}.{instance}" if instance else "", topics)
        producers = SimProducers(broker.network, broker.coordinator, group, process)
        self._transactions = Transactions(
            producers, exactly_once, intake=intake, holds=self.holds, max_message_bytes=MAX_MESSAGE_BYTES
        )
        self._commits = Channel()
        self._dealt = Dealt(0, frozenset())
        self._dealt_s = 0.0
        self._positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.pauses = 0
        self._rejoin = asyncio.Event()
        self._wake = asyncio.Event()
        # Where there may be something to read.
        self._due: set[TopicPartition] = set()
        self._reassigning = True
        self._left_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def process(self) -> Process:
        return self._seat.process

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._belong(), name="member"),
            asyncio.create_task(self._read(), name="reader"),
        ]
        self._broker.readers.append(self)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._broker.readers.remove(self)
        self._broker.loop.at(self._broker.network.hold_up(0.005), self._group.leave, self._seat)
        await self._transactions.close()

    async def commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        offsets = {place: mark.offset for place, mark in marks.items()}
        await self._transactions.commit(offsets, lambda plain: self._commit({place: marks[place] for place in plain}))

    def annotates(self, place: TopicPartition) -> bool:
        return not self._transactions.covers(place.topic)

    async def _commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        if strange := [place for place in marks if place not in self._dealt.places]:
            raise NotOurs(f"not assigned: {strange}")
        generation = self._dealt.generation
        await self._broker.network.ask(
            "the group coordinator",
            lambda: self._group.commit(self._seat, generation, marks),
            timeout_s=_COMMIT_TIMEOUT_S,
            channel=self._commits,
        )

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self.pauses += 1
        self.paused |= self.assignment() & set(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self.paused -= set(partitions)
        self._look(partitions)

    def assignment(self) -> frozenset[TopicPartition]:
        return self._dealt.places

    def holds(self, place: TopicPartition) -> bool:
        return place in self._dealt.places and self._broker.loop.time() - self._answered_s() <= _CERTAIN_S

    def outlet(self, record: Received) -> Publisher:
        if self._transactions.covers(record.topic):
            return self._transactions.outlet(record)
        return FencedPublisher(self._publisher, self.holds, record.home)

    def afresh(self, record: Received) -> None:
        self._transactions.afresh(record)

    def rejoin(self) -> None:
        self._rejoin.set()

    def _answered_s(self) -> float:
        """When a heartbeat was answered last: one is sent every few seconds, and one at once after a pause."""
        now, process = self._broker.loop.time(), self._seat.process
        if self._reassigning:
            return self._left_s
        if process.thawed_s < self._dealt_s:
            return now
        if now - process.thawed_s > _ANSWER_S and self._group.knows(self._seat):
            return now
        return max(self._dealt_s, process.frozen_s - HEARTBEAT_S)

    def moved(self, place: TopicPartition) -> None:
        if place in self._positions:
            self._look([place])

    def _look(self, places: Collection[TopicPartition]) -> None:
        self._due.update(places)
        self._wake.set()

    async def _belong(self) -> None:
        first = True
        while True:
            # No heartbeat is sent until the partitions are dealt anew.
            self._left_s, self._reassigning = self._answered_s(), True
            joining_s = self._broker.loop.time()
            if not first:
                await self._revoke()
            first = False
            self._rejoin.clear()
            joined = self._seat.joined = self._broker.loop.create_future()
            self._broker.loop.at(self._broker.network.hold_up(0.005), self._group.join, self._seat)
            dealt = await joined
            # As the real client decides: nobody else can have been dealt ours in between.
            unbroken = self._dealt.generation <= dealt.generation <= self._dealt.generation + 1
            # The answer may have lain in the socket while this process was paused: it is as old as the question.
            self._dealt, self._dealt_s = dealt, max(self._left_s, joining_s)
            self.paused.clear()
            self._positions = {}
            self._reassigning = False
            self._transactions.keep(dealt.places if unbroken else ())
            self._intake.assigned(sorted(dealt.places), unbroken=unbroken)
            # The answer may be older than a commit that is under way.
            marks = await self._committed()
            self._intake.remember({place: mark for place, mark in marks.items() if self.annotates(place)})
            self._positions = {place: mark.offset for place, mark in marks.items()}
            self._look(self._positions)
            await self._rejoin.wait()

    async def _revoke(self) -> None:
        try:
            await self._intake.revoked(sorted(self._dealt.places))
        except Exception as exc:  # noqa: BLE001 - the client logs it and goes on
            self._broker.note("revoked raised", f"{type(exc).__name__}: {exc}")

    async def _committed(self) -> dict[TopicPartition, Mark]:
        answer: asyncio.Future[dict[TopicPartition, Mark]] = self._broker.loop.create_future()
        places = self._dealt.places

        def read() -> None:
            if not answer.done():
                answer.set_result(self._group.marks(places))

        self._broker.loop.at(self._broker.network.hold_up(0.01), read)
        return await answer

    async def _read(self) -> None:
        choice = self._broker.choice
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(self._broker.network.hold_up(0.003))
            places = sorted(self._due & self._positions.keys() - self.paused)
            self._due.clear()
            choice.shuffle(places)
            for place in places:
                await self._deliver(place)

    async def _deliver(self, place: TopicPartition) -> None:
        positions = self._positions
        if place not in positions:
            return
        fetched = self._broker.log.read(place, positions[place], self._broker.choice.choice((1, 3, 10)))
        for record in fetched:
            if self._reassigning or place in self.paused or self._positions is not positions:
                return
            positions[place] = record.offset + 1
            # On its way through the client: the partition may be revoked meanwhile.
            await asyncio.sleep(0)
            try:
                self._transactions.receive(record)
            except Exception as exc:  # noqa: BLE001 - as the transport does
                self._intake.broken(exc)
        if fetched:
            self._look([place])
