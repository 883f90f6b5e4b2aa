"""Reading partitions without a group: replies, cancellations, and whatever a client follows."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient

from headrace.messaging.connections import mend
from headrace.messaging.intake import received
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.tolerant_records import tolerate

_LOOK_MS: Final = 200


async def follow(
    bootstrap: str,
    start: Mapping[TopicPartition, int | None],
    stop_at: Mapping[TopicPartition, int] | None = None,
    *,
    started: "Started | None" = None,
) -> AsyncGenerator[Received, None]:
    """Yield the records of these partitions from their offsets on (None: from the end), for ever or up to `stop_at`.

    `stop_at` holds the first offset of a partition that is no longer wanted. `started` is told once the positions are
    fixed, so that what is published after it is certainly seen.
    """
    consumer = _consumer(bootstrap)
    try:
        # Inside: a cancellation during the start must not leave half a consumer behind.
        await consumer.start()
        partitions = {place: KafkaPartition(*place) for place in start}
        consumer.assign(list(partitions.values()))
        ends = await consumer.end_offsets(list(partitions.values()))
        positions = {place: ends[partitions[place]] if offset is None else offset for place, offset in start.items()}
        for place, offset in positions.items():
            consumer.seek(partitions[place], offset)
        if started is not None:
            started(positions)
        if stop_at is None:
            async for record in consumer:
                yield received(record)
            return
        # By position, not by the last record: before the end there may be nothing but the mark of a transaction.
        while any([await consumer.position(partitions[place]) < stop for place, stop in stop_at.items()]):
            for records in (await consumer.getmany(timeout_ms=_LOOK_MS)).values():
                for record in records:
                    mine = received(record)
                    if mine.offset < stop_at.get(mine.home, mine.offset + 1):
                        yield mine
    finally:
        await consumer.stop()


class Started:
    """Remembers the positions at which a `follow` began and lets others wait for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.positions: Mapping[TopicPartition, int] = {}

    def __call__(self, positions: Mapping[TopicPartition, int]) -> None:
        self.positions = positions
        self._event.set()

    async def wait(self) -> Mapping[TopicPartition, int]:
        """The positions, once they are fixed."""
        await self._event.wait()
        return self.positions


async def partitions_of(bootstrap: str, topic: str) -> list[TopicPartition]:
    """Every partition of a topic, in order; none if there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        await admin.start()
        (description,) = await admin.describe_topics([topic])
        return sorted(TopicPartition(topic, partition["partition"]) for partition in description["partitions"])
    finally:
        await admin.close()


async def end_offsets(bootstrap: str, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset that the next record of each partition will get."""
    if not places:
        return {}
    consumer = _consumer(bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([KafkaPartition(*place) for place in places])
        return {place: ends[KafkaPartition(*place)] for place in places}
    finally:
        await consumer.stop()


async def offsets_at(bootstrap: str, places: list[TopicPartition], epoch_ms: int) -> dict[TopicPartition, int]:
    """The offset of the first record at or after a moment; the end where there is none."""
    consumer = _consumer(bootstrap)
    await consumer.start()
    try:
        partitions = [KafkaPartition(*place) for place in places]
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, epoch_ms))
        ends = await consumer.end_offsets(partitions)
        return {
            place: found[partition].offset if found.get(partition) else ends[partition]
            for place, partition in zip(places, partitions, strict=True)
        }
    finally:
        await consumer.stop()


def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    mend()
    tolerate()
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        # What a transaction has not committed is not there.
        isolation_level="read_committed",
    )
