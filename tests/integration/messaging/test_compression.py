"""Producers in other languages compress as they please; Go's franz-go does so unasked, with snappy."""

import asyncio
from contextlib import aclosing

import pytest
from confluent_kafka import Producer

from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import follow
from tests.fakes.topics import make_topics

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_a_record_is_read_however_its_producer_compressed_it(kafka: str, codec: str) -> None:
    """INVARIANT: no client stops a partition by its choice of a codec: unread, it would hold up all that follow."""
    topic = f"compressed-{codec}"
    await make_topics(kafka, {topic: 1})
    producer = Producer({"bootstrap.servers": kafka, "compression.type": codec})
    for number in range(3):
        producer.produce(topic, value=f"{number} {'again ' * 200}".encode())
    assert producer.flush(20) == 0
    place = TopicPartition(topic, 0)
    async with asyncio.timeout(20), aclosing(follow(kafka, {place: 0}, {place: 3})) as records:
        read = [(record.value or b"").split()[0] async for record in records]
    assert read == [b"0", b"1", b"2"]
