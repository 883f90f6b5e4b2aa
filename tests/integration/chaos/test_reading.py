"""The checkers' own reading: a mark that a transaction leaves in the log is no record."""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer

from tests.chaos.path.reading import count, records, value_of
from tests.fakes.topics import make_topics

pytestmark = pytest.mark.integration


async def test_records_are_counted_and_not_the_marks_of_transactions(kafka: str) -> None:
    topic = f"t-{uuid.uuid4().hex[:8]}"
    await make_topics(kafka, {topic: 2, f"{topic}-other": 1})
    async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic) as producer:
        for value in (b"one", b"two"):
            async with producer.transaction():
                await producer.send(topic, value, partition=0)
                await producer.send(f"{topic}-other", value)
        await producer.begin_transaction()
        await (await producer.send(topic, b"aborted", partition=1))
        await producer.abort_transaction()
    assert await asyncio.to_thread(count, kafka, lambda name: name == topic) == 2
    assert await asyncio.to_thread(count, kafka, lambda name: name.startswith(topic)) == 4
    assert await asyncio.to_thread(count, kafka, lambda _: False) == 0
    assert [value_of(each) for each in await asyncio.to_thread(list, records(kafka, topic))] == [b"one", b"two"]
