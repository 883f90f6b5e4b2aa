"""How far a group still has to go, where transactions leave marks that nobody reads."""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition

from headrace.messaging.progress import remaining
from headrace.messaging.tail import end_offsets, partitions_of
from tests.fakes.topics import make_topics
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration


async def test_the_mark_of_a_transaction_at_the_end_is_nothing_to_wait_for(kafka: str) -> None:
    topic, group = f"t-{uuid.uuid4().hex[:8]}", f"g-{uuid.uuid4().hex[:8]}"
    await make_topics(kafka, {topic: 2})
    async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=group) as producer, producer.transaction():
        await producer.send(topic, b"record", partition=0)
    places = await partitions_of(kafka, topic)
    ends = await end_offsets(kafka, places)
    assert sorted(ends.values()) == [0, 2]
    seen: list[int] = []

    async def wait() -> None:
        async for left in remaining(kafka, group, ends):
            seen.append(left)  # noqa: PERF401 - looked at from outside while it grows

    waiting = asyncio.create_task(wait())
    # A record is something to wait for, however often one looks.
    await until("more looks than those after which one doubts", lambda: len(seen) > 25)
    assert set(seen) == {2}
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign([KafkaPartition(topic, 0)])
        await consumer.commit({KafkaPartition(topic, 0): 1})
    await until("the end", waiting.done, timeout_s=30)
    assert (seen[0], seen[-1]) == (2, 0)
