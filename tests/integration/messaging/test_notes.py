"""The note beside a committed offset, on the real broker."""

import uuid
from collections.abc import Collection, Mapping

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from headrace.messaging.ahead import LONGEST
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher, KafkaTransport
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Mark
from tests.fakes.topics import make_topics
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration


class Told:
    """An intake that keeps what it was told of earlier commits, and how much had come before."""

    def __init__(self) -> None:
        self.received = 0
        self.marks: list[tuple[int, Mapping[TopicPartition, Mark]]] = []

    def receive(self, record: Received) -> None:
        self.received += 1

    def broken(self, error: BaseException) -> None:
        raise error

    def assigned(self, partitions: Collection[TopicPartition], *, unbroken: bool = True) -> None:
        pass

    def remember(self, marks: Mapping[TopicPartition, Mark]) -> None:
        self.marks.append((self.received, marks))

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        pass


async def test_a_note_reaches_the_next_owner_before_any_record_and_one_that_is_too_long_costs_no_commit(
    kafka: str,
) -> None:
    place = TopicPartition(f"t-{uuid.uuid4().hex[:8]}", 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await make_topics(kafka, {place.topic: 1})

    async def stands() -> tuple[int, str]:
        found = await admin.list_consumer_group_offsets(place.topic)
        return next((mark.offset, mark.metadata) for at, mark in found.items() if tuple(at) == tuple(place))

    async with KafkaPublisher(kafka) as publisher:
        for number in range(3):
            await publisher.publish(Outgoing(place.topic, str(number), None, raw=b"x"))
    first, told = KafkaTransport(kafka, client_id="t", instance="a"), Told()
    try:
        subscription = await first.subscribe(place.topic, [place.topic], told)
        await until("an assignment", lambda: subscription.holds(place))
        assert subscription.annotates(place)
        longest = "x" * LONGEST
        await subscription.commit({place: Mark(1, longest)})
        assert await stands() == (1, longest)
    finally:
        await first.close()
    second, told = KafkaTransport(kafka, client_id="t", instance="b"), Told()
    try:
        subscription = await second.subscribe(place.topic, [place.topic], told)
        await until("records", lambda: told.received == 2)
        assert [(before, marks[place]) for before, marks in told.marks if marks] == [(0, Mark(1, longest))]
        await subscription.commit({place: Mark(2, "x" * 5000)})
        assert await stands() == (2, "")
        assert not subscription.annotates(place)
    finally:
        await second.close()
        await admin.close()
