"""Reading partitions without a group: replies, cancellations, and whatever a client follows."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient

from headrace.messaging.intake import received
from headrace.messaging.records import Received, TopicPartition


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
        open_ends = {place: stop for place, stop in (stop_at or {}).items() if positions[place] < stop}
        if stop_at is not None and not open_ends:
            return
        async for record in consumer:
            mine = received(record)
            limit = (stop_at or {}).get(mine.home)
            if limit is None or mine.offset < limit:
                yield mine
            if stop_at is not None and limit is not None and mine.offset >= limit - 1:
                open_ends.pop(mine.home, None)
                if not open_ends:
                    return
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
    await admin.start()
    try:
        (description,) = await admin.describe_topics([topic])
        return sorted(TopicPartition(topic, partition["partition"]) for partition in description["partitions"])
    finally:
        await admin.close()


async def end_offsets(bootstrap: str, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset that the next record of each partition will get."""
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
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        # What a transaction has not committed is not there.
        isolation_level="read_committed",
    )
