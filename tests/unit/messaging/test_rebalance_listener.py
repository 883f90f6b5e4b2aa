"""Records wait for what was committed before them, and for nothing else."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, cast

import pytest
from aiokafka import TopicPartition as KafkaPartition

from headrace.messaging.kafka_subscription import KafkaSubscription, RebalanceListener
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Mark

PLACE = TopicPartition("t", 0)


class Place:
    """A subscription and its intake in one, which writes down what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.answers: list[asyncio.Future[dict[TopicPartition, Mark]]] = []

    def receive(self, record: Received) -> None:
        self.told.append(record.offset)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({PLACE})

    def dealt(self, partitions: Collection[TopicPartition]) -> bool:
        return bool(partitions)

    def rejoins(self) -> None:
        pass

    async def marks(self, _partitions: Collection[TopicPartition]) -> dict[TopicPartition, Mark]:
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    def assigned(self, partitions: Collection[TopicPartition], *, unbroken: bool = True) -> None:
        self.told.append("assigned")

    def remember(self, marks: Mapping[TopicPartition, Mark]) -> None:
        self.told.append(dict(marks))

    async def revoked(self, _partitions: Collection[TopicPartition]) -> None:
        self.told.append("revoked")


def record(offset: int) -> Received:
    return Received("t", 0, offset, 0, b"k", b"v")


async def bound() -> tuple[Place, RebalanceListener, "asyncio.Task[None]"]:
    place = Place()
    listener = RebalanceListener(cast("Any", place))
    listener.receive(record(1))
    binding = asyncio.create_task(listener.bind(cast("KafkaSubscription", place)))
    await asyncio.sleep(0)
    listener.receive(record(2))
    return place, listener, binding


async def test_records_come_after_the_marks_of_their_partitions() -> None:
    place, listener, binding = await bound()
    assert place.told == []
    place.answers[0].set_result({PLACE: Mark(1, "1:1")})
    await binding
    listener.receive(record(3))
    assert place.told == [{PLACE: Mark(1, "1:1")}, 1, 2, 3]


async def test_an_answer_that_fails_holds_no_record_back() -> None:
    place, listener, binding = await bound()
    place.answers[0].set_exception(RuntimeError("a defect of the client"))
    with pytest.raises(RuntimeError):
        await binding
    listener.receive(record(3))
    assert place.told == [1, 2, 3]


async def test_what_waits_when_the_group_deals_again_is_read_again_by_its_new_owner() -> None:
    place, listener, binding = await bound()
    await listener.on_partitions_revoked({KafkaPartition(*PLACE)})
    again = asyncio.create_task(listener.on_partitions_assigned({KafkaPartition(*PLACE)}))
    await asyncio.sleep(0)
    listener.receive(record(7))
    for answer in place.answers:
        answer.set_result({})
    await asyncio.gather(binding, again)
    listener.receive(record(8))
    assert [each for each in place.told if isinstance(each, int)] == [7, 8]
