"""One record of a client in C or Go must not stop its partition, whatever its headers are called."""

import asyncio
import os
import subprocess
import sys
from contextlib import aclosing

import pytest

from headrace.messaging import topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.tail import end_offsets, follow
from headrace.v1.prompts_pb2 import CancelRequested
from tests.fakes import raw_headers

pytestmark = pytest.mark.integration

PLACE = TopicPartition(topics.CANCELLATIONS, 0)


async def test_a_header_name_that_is_not_utf_8_hides_neither_its_record_nor_the_next(kafka: str) -> None:
    (start,) = (await end_offsets(kafka, [PLACE])).values()
    writing = [sys.executable, "-m", "tests.fakes.raw_headers", kafka, PLACE.topic, "one", "two"]
    await asyncio.to_thread(subprocess.run, writing, env=os.environ | raw_headers.ENVIRONMENT, check=True, timeout=60)
    publisher = KafkaPublisher(kafka)
    async with publisher:
        await publisher.publish(Outgoing(PLACE.topic, "three", CancelRequested(turn_id="three"), partition=0))
    read: list[Received] = []
    async with aclosing(follow(kafka, {PLACE: start}, {PLACE: start + 3})) as records:
        async for record in records:
            read.append(record)  # noqa: PERF401 - a cancelled comprehension would hide what was read
    assert [record.key_text for record in read] == ["one", "two", "three"]
    assert read[0].headers == {"\ufffd\ufffd": "1", "tidy": "2"}
    assert [record.offset for record in read] == [start, start + 1, start + 2]
