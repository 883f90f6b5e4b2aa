"""Exactly once from topic to topic: what a partition's records lead to and the partition's offset, in one transaction.

Each input partition has a transactional id of its own, so that whoever takes the partition over fences the one before
(aiokafka sends offsets without the group's generation, which alone would not fence a process that was paused beyond
its session). Effects are kept until the offsets before them may be committed, and go out with them, in order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fatal, Fenced, Invalid, Retryable
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Intake, NotOurs
from headrace.messaging.wire import Encoded, encoded

log = structlog.get_logger()

_COMMIT_TIMEOUT_S: Final = 20.0
_REOPEN_S: Final = 0.5
# Dead letters hold the originals of all others; everything else is far smaller than its topic's limit.
_ROOM: Final = 4


class Producer(Protocol):
    """Commits for one partition, until somebody else opens its producer."""

    async def transact(self, effects: Sequence[Encoded], offset: int) -> None:
        """Publish all of it and commit the offset, or nothing of both; `Retryable`: nobody knows which."""
        ...

    async def stop(self) -> None:
        """Close it; raises nothing."""
        ...


class Producers(Protocol):
    """Opens the producer of a partition, by which whoever had one before is fenced."""

    async def fenced(self, place: TopicPartition) -> tuple[Producer, int]:
        """A producer that alone may commit, and the offset that is committed; `Retryable` if nobody answers."""
        ...


@dataclass(slots=True, eq=False)
class _Partition:
    place: TopicPartition
    # The offset that the group had committed when it was last looked.
    base: int = 0
    # What a transaction would have made of it that ended nobody knows how.
    unknown: int | None = None
    producer: Producer | None = None
    opening: asyncio.Task[None] | None = None
    # Records that came before the producer was ours, and effects by the offset of their record.
    early: list[Received] = field(default_factory=list)
    effects: dict[int, list[Encoded]] = field(default_factory=dict)


class Transactions:
    """The producers of all input partitions that want one; each is opened by its first record."""

    def __init__(
        self,
        producers: Producers,
        topics: Collection[str],
        *,
        intake: Intake,
        holds: Callable[[TopicPartition], bool],
        max_message_bytes: int,
    ) -> None:
        """`topics`: those that want one. `max_message_bytes`: what the largest topic takes, in bytes."""
        self._producers = producers
        self._topics = frozenset(topics)
        self._intake = intake
        self._holds = holds
        self._max_message_bytes = max_message_bytes
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def covers(self, topic: str) -> bool:
        """Whether what comes from this topic is committed together with its effects."""
        return topic in self._topics

    def receive(self, record: Received) -> None:
        """Hand the record on, where it wants a transaction once everybody who held its partition before is fenced."""
        if not self.covers(record.topic):
            self._intake.receive(record)
            return
        partition = self._partitions.get(record.home)
        if partition is None:
            partition = self._partitions[record.home] = _Partition(record.home)
            partition.opening = asyncio.create_task(self._open(partition), name=f"fence:{record.topic}")
        if partition.opening is None:
            self._intake.receive(record)
        else:
            partition.early.append(record)

    def outlet(self, record: Received) -> Publisher:
        """Keeps what the record leads to until its offset is committed."""
        partition = self._partitions.get(record.home)
        if partition is None:
            raise Fenced(f"{record.topic}:{record.partition} is not ours any more")
        return _Kept(partition.effects.setdefault(record.offset, []), self._max_message_bytes)

    def afresh(self, record: Received) -> None:
        """Forget what a try has led to that was not the last."""
        if partition := self._partitions.get(record.home):
            partition.effects.pop(record.offset, None)

    def keep(self, partitions: Collection[TopicPartition]) -> None:
        """Forget all others: somebody else has them now."""
        for place in self._partitions.keys() - frozenset(partitions):
            partition = self._partitions.pop(place)
            if partition.opening:
                partition.opening.cancel()
            self._let_go(partition)

    async def commit(
        self,
        offsets: Mapping[TopicPartition, int],
        plainly: Callable[[Mapping[TopicPartition, int]], Awaitable[None]],
    ) -> None:
        """Publish the effects of everything before each offset and commit it, or nothing of both.

        What wants no transaction is committed by `plainly`. Raises `NotOurs` where somebody else has moved a partition
        on, `Retryable` where nobody can say yet.
        """
        together = [self._commit(place, offset) for place, offset in offsets.items() if self.covers(place.topic)]
        plain = {place: offset for place, offset in offsets.items() if not self.covers(place.topic)}
        alone = [plainly(plain)] if plain else []
        outcomes = await asyncio.gather(*alone, *together, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        # What may still be ours is tried again, and what was committed already is then left alone.
        for failure in sorted(failures, key=lambda each: isinstance(each, NotOurs)):
            raise failure

    async def close(self) -> None:
        """Close all producers; what was not committed is aborted."""
        self.keep(())
        if self._closing:
            await asyncio.wait(self._closing, timeout=_COMMIT_TIMEOUT_S)

    async def _commit(self, place: TopicPartition, offset: int) -> None:
        partition = self._partitions.get(place)
        if partition is None:
            raise NotOurs(f"{place.topic}:{place.partition} is not ours any more")
        if partition.opening is not None or not self._holds(place):
            # After a pause nobody knows until a heartbeat is answered, or the partition is taken away.
            raise Retryable(f"nobody can say whether {place.topic}:{place.partition} is still ours")
        try:
            async with asyncio.timeout(_COMMIT_TIMEOUT_S):
                producer = partition.producer or await self._reopened(partition)
                if partition.base < offset:
                    due = sorted(each for each in partition.effects if partition.base <= each < offset)
                    partition.unknown = offset
                    await producer.transact([effect for each in due for effect in partition.effects[each]], offset)
                    partition.base, partition.unknown = offset, None
        except (Retryable, TimeoutError) as exc:
            # Whether the transaction was committed is not known: the next producer ends it either way, and then the
            # committed offset tells.
            self._let_go(partition)
            raise Retryable(f"the offset of {place.topic}:{place.partition} was not committed: {exc}") from exc
        for done in [each for each in partition.effects if each < offset]:
            del partition.effects[done]

    async def _open(self, partition: _Partition) -> None:
        while True:
            try:
                partition.producer, partition.base = await self._producers.fenced(partition.place)
                break
            except Retryable as exc:
                log.warning("transactions cannot begin, trying again", error=str(exc))
                await asyncio.sleep(_REOPEN_S)
        partition.opening = None
        # Reading began at the committed offset; before the fence somebody may have moved it on.
        for record in partition.early:
            if record.offset >= partition.base:
                self._intake.receive(record)
        partition.early.clear()

    async def _reopened(self, partition: _Partition) -> Producer:
        """A producer after one whose last transaction ended nobody knows how."""
        producer, committed = await self._producers.fenced(partition.place)
        if committed not in {partition.base, partition.unknown}:
            await producer.stop()
            # Somebody whom the group did not name: what is kept here may be done. Start again from what is committed.
            raise Fatal(f"somebody else has committed for {partition.place.topic}:{partition.place.partition}")
        partition.producer, partition.base, partition.unknown = producer, committed, None
        return producer

    def _let_go(self, partition: _Partition) -> None:
        producer, partition.producer = partition.producer, None
        if producer is not None:
            task = asyncio.create_task(producer.stop(), name="stop producer")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class _Kept:
    """Keeps a record's effects."""

    def __init__(self, effects: list[Encoded], max_message_bytes: int) -> None:
        self._effects = effects
        self._max_message_bytes = max_message_bytes

    async def publish(self, outgoing: Outgoing) -> None:
        """Keep it; `Invalid` if no topic would take it."""
        effect = encoded(outgoing)
        if outgoing.raw is None and len(effect.value or b"") > self._max_message_bytes // _ROOM:
            raise Invalid(
                f"the message has {len(effect.value or b'')} bytes, {outgoing.topic} takes "
                f"{self._max_message_bytes // _ROOM}",
                code="too_large",
                field="value",
            )
        self._effects.append(effect)
