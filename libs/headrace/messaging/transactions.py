"""Exactly once from topic to topic: what a partition's records lead to and the partition's offset, in one transaction.

Each input partition has a transactional id of its own, so that whoever takes the partition over fences the one before
(aiokafka sends offsets without the group's generation, which alone would not fence a process that was paused beyond
its session). Effects are kept until the offsets before them may be committed, and go out with them, in order.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fatal, Fenced, Invalid, Retryable
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Intake, NotOurs
from headrace.messaging.wire import Encoded, encoded

log = structlog.get_logger()

# A transaction left behind by a process that died blocks read-committed consumers for no longer than this, and only
# where nobody takes its partition over.
TRANSACTION_TIMEOUT_MS: Final = 30_000
_COMMIT_TIMEOUT_S: Final = 20.0
_REOPEN_S: Final = 0.5
# Dead letters hold the originals of all others; everything else is far smaller than its topic's limit.
_ROOM: Final = 4


@dataclass(slots=True, eq=False)
class _Partition:
    place: TopicPartition
    # The offset that the group had committed when it was last looked.
    base: int = 0
    producer: AIOKafkaProducer | None = None
    opening: asyncio.Task[None] | None = None
    # Records that came before the producer was ours, and effects by the offset of their record.
    early: list[Received] = field(default_factory=list)
    effects: dict[int, list[Encoded]] = field(default_factory=dict)


class Transactions:
    """The producers of all input partitions that want one; each is opened by its first record."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        bootstrap: str,
        *,
        group: str,
        client_id: str,
        intake: Intake,
        holds: Callable[[TopicPartition], bool],
        max_message_bytes: int,
    ) -> None:
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._group = group
        self._client_id = client_id
        self._intake = intake
        self._holds = holds
        self._max_message_bytes = max_message_bytes
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def receive(self, record: Received) -> None:
        """Hand the record on once everybody who held its partition before is fenced."""
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

    async def commit(self, place: TopicPartition, offset: int) -> None:
        """Publish the effects of everything before `offset` and commit it, or nothing of both.

        Raises `NotOurs` where somebody else has moved the partition on, `Retryable` where nobody can say yet.
        """
        partition = self._partitions.get(place)
        if partition is None or partition.opening is not None or not self._holds(place):
            raise NotOurs(f"{place.topic}:{place.partition} is not ours any more")
        try:
            async with asyncio.timeout(_COMMIT_TIMEOUT_S):
                producer = partition.producer or await self._reopened(partition, offset)
                if partition.base != offset:
                    await self._transact(producer, partition, offset)
                    partition.base = offset
        except (KafkaError, AssertionError, TimeoutError) as exc:
            # Whether the transaction was committed is not known: the next producer ends it either way, and then the
            # committed offset tells.
            self._let_go(partition)
            raise Retryable(f"the transaction was not acknowledged: {type(exc).__name__}") from exc
        for done in [each for each in partition.effects if each < offset]:
            del partition.effects[done]

    async def close(self) -> None:
        """Close all producers; what was not committed is aborted."""
        self.keep(())
        if self._closing:
            await asyncio.wait(self._closing, timeout=_COMMIT_TIMEOUT_S)

    async def _transact(self, producer: AIOKafkaProducer, partition: _Partition, offset: int) -> None:
        await producer.begin_transaction()
        due = sorted(each for each in partition.effects if each < offset)
        sent = [await _send(producer, effect) for each in due for effect in partition.effects[each]]
        await producer.send_offsets_to_transaction({KafkaPartition(*partition.place): offset}, self._group)
        await asyncio.gather(*sent)
        await producer.commit_transaction()

    async def _open(self, partition: _Partition) -> None:
        while True:
            try:
                partition.producer, partition.base = await self._fenced(partition.place)
                break
            except KafkaError as exc:
                log.warning("transactions cannot begin, trying again", error=type(exc).__name__)
                await asyncio.sleep(_REOPEN_S)
        partition.opening = None
        # Reading began at the committed offset; before the fence somebody may have moved it on.
        for record in partition.early:
            if record.offset >= partition.base:
                self._intake.receive(record)
        partition.early.clear()

    async def _reopened(self, partition: _Partition, target: int) -> AIOKafkaProducer:
        """A producer after one whose last transaction ended nobody knows how."""
        producer, committed = await self._fenced(partition.place)
        if committed not in {partition.base, target}:
            await _stop(producer)
            # Somebody whom the group did not name: what is kept here may be done. Start again from what is committed.
            raise Fatal(f"somebody else has committed for {partition.place.topic}:{partition.place.partition}")
        partition.producer, partition.base = producer, committed
        return producer

    async def _fenced(self, place: TopicPartition) -> tuple[AIOKafkaProducer, int]:
        """A producer that alone may commit for this partition, and the offset that is committed."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id=f"{self._client_id}.{place.topic}.{place.partition}",
            transactional_id=f"{self._group}.{place.topic}.{place.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_request_size=self._max_message_bytes,
            acks="all",
        )
        try:
            await producer.start()
            committed = await self._consumer.committed(KafkaPartition(*place))
        except BaseException:
            await _stop(producer)
            raise
        return producer, committed or 0

    def _let_go(self, partition: _Partition) -> None:
        producer, partition.producer = partition.producer, None
        if producer is not None:
            task = asyncio.create_task(_stop(producer), name="stop producer")
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


async def _send(producer: AIOKafkaProducer, effect: Encoded) -> "asyncio.Future[Any]":
    partition = effect.partition
    if partition is not None and partition not in await producer.partitions_for(effect.topic):
        # Whoever asked for it reads the wrong topic; by the key it is at least where others look for it.
        partition = None
    acknowledged: asyncio.Future[Any] = await producer.send(
        effect.topic, effect.value, key=effect.key, partition=partition, headers=list(effect.headers)
    )
    return acknowledged


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError, AssertionError):
        async with asyncio.timeout(_COMMIT_TIMEOUT_S / 2):
            await producer.stop()
