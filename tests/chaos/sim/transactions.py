"""Transactions of the simulated broker: one producer a transactional id, whoever opens it fences the one before."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from headrace.messaging.errors import Retryable
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transactional_producers import TRANSACTION_TIMEOUT_MS
from headrace.messaging.wire import Encoded
from tests.chaos.sim.group import Group
from tests.chaos.sim.log import SimLog
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.network import Channel, Network
from tests.chaos.sim.process import Process

_TIMEOUT_S: Final = 15.0


@dataclass(slots=True)
class _Transaction:
    """What was sent since the last one ended."""

    records: list[Received] = field(default_factory=list)
    offset: int | None = None
    process: Process | None = None


@dataclass(slots=True, eq=False)
class _Holder:
    """Who may commit under a transactional id."""

    epoch: int = 0
    # Counts what was begun, so that a timer knows whether it still means the same one.
    begun: int = 0
    now: _Transaction | None = None


class Coordinator:
    """Of all transactions of a broker. Refusals look to a producer like no answer: it has to be opened again."""

    def __init__(self, loop: VirtualLoop, log: SimLog) -> None:
        self._loop = loop
        self._log = log
        self._holders: dict[tuple[str, TopicPartition], _Holder] = {}
        self.fenced = 0
        self.aborted = 0

    def open(self, group: Group, place: TopicPartition) -> int:
        """The epoch of a new producer: what the one before had begun is aborted, and nothing of it counts any more."""
        holder = self._holders.setdefault((group.name, place), _Holder())
        self._abort(holder)
        holder.epoch += 1
        return holder.epoch

    def add(self, group: Group, place: TopicPartition, epoch: int, effect: Encoded) -> None:
        """Append to the transaction, which begins with it."""
        self._begun(group, place, epoch).records.append(
            self._log.append(
                effect.topic,
                effect.value,
                key=effect.key,
                headers=effect.headers,
                partition=effect.partition,
                held=True,
            )
        )

    def add_offset(self, group: Group, place: TopicPartition, epoch: int, offset: int, process: Process) -> None:
        """Let the offset be committed with it."""
        begun = self._begun(group, place, epoch)
        begun.offset, begun.process = offset, process

    def commit(self, group: Group, place: TopicPartition, epoch: int) -> None:
        """All of it is there from now on, records and offset."""
        holder = self._holder(group, place, epoch)
        transaction, holder.now = holder.now, None
        if transaction is None:
            raise Retryable("nothing to commit")
        self._log.release(transaction.records)
        if transaction.offset is not None and transaction.process is not None:
            group.keep(transaction.process, {place: transaction.offset})

    def _begun(self, group: Group, place: TopicPartition, epoch: int) -> _Transaction:
        holder = self._holder(group, place, epoch)
        if holder.now is None:
            holder.now = _Transaction()
            holder.begun += 1
            self._loop.at(TRANSACTION_TIMEOUT_MS / 1000, self._expire, holder, holder.begun)
        return holder.now

    def _holder(self, group: Group, place: TopicPartition, epoch: int) -> _Holder:
        holder = self._holders[group.name, place]
        if epoch != holder.epoch:
            self.fenced += 1
            raise Retryable("fenced")
        return holder

    def _expire(self, holder: _Holder, begun: int) -> None:
        if holder.now is not None and holder.begun == begun:
            self._abort(holder)
            holder.epoch += 1

    def _abort(self, holder: _Holder) -> None:
        transaction, holder.now = holder.now, None
        if transaction is not None:
            self.aborted += 1
            self._log.drop(transaction.records)


@dataclass(slots=True, eq=False)
class SimProducers:
    """Opens the producers of one member."""

    network: Network
    coordinator: Coordinator
    group: Group
    process: Process

    async def fenced(self, place: TopicPartition) -> tuple["SimProducer", int]:
        channel = Channel()
        epoch = await self.network.ask(
            "the transaction coordinator", lambda: self.coordinator.open(self.group, place), timeout_s=_TIMEOUT_S,
            channel=channel,
        )  # fmt: skip
        committed = await self.network.ask("the group", lambda: self.group.marks([place])[place].offset)
        return SimProducer(self, place, epoch, channel), committed


@dataclass(slots=True, eq=False)
class SimProducer:
    """As the real one: everything is acknowledged before the end is asked for."""

    opened: SimProducers
    place: TopicPartition
    epoch: int
    channel: Channel

    async def transact(self, effects: Sequence[Encoded], offset: int) -> None:
        coordinator, whose = self.opened.coordinator, (self.opened.group, self.place, self.epoch)
        sent = [self._ask(lambda effect=effect: coordinator.add(*whose, effect)) for effect in effects]  # type: ignore[misc]  # mypy cannot infer it
        sent.append(self._ask(lambda: coordinator.add_offset(*whose, offset, self.opened.process)))
        await asyncio.gather(*sent)
        await self._ask(lambda: coordinator.commit(*whose))

    async def stop(self) -> None:
        """The coordinator is not told: the next producer or the time ends what was begun."""

    def _ask(self, act: Callable[[], None]) -> "asyncio.Future[None]":
        return self.opened.network.ask("the transaction", act, timeout_s=_TIMEOUT_S, channel=self.channel)
