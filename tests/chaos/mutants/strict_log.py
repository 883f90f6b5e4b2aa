"""The log in memory, as choosy as a broker and its client: no unknown topics or partitions, nothing too large.

What publishes to it is the shipped `KafkaPublisher`; only the connection below it is replaced.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import cast

from aiokafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError
from faststream.kafka import KafkaBroker

from headrace.embedded.topics import TopicPlan
from headrace.messaging import topics
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import TopicPartition
from headrace.messaging.transport import Intake, Subscription
from tests.fakes.memory_log import MemoryLog, MemorySubscription

# The broker's default for a topic that sets no limit.
_USUAL_BYTES = 1_048_588


@dataclass(frozen=True, slots=True)
class LogProducer:
    """Stands where aiokafka's producer stands, and refuses what it and a broker refuse, as they do it."""

    log: MemoryLog
    most_bytes: Mapping[str, int]

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        partition: int | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        await asyncio.sleep(0)
        if topic not in self.most_bytes:
            raise UnknownTopicOrPartitionError(topic)
        if partition is not None:
            assert partition >= 0
            assert partition in range(self.log.partitions), "Unrecognized partition"
        if len(value or b"") > self.most_bytes[topic]:
            raise MessageSizeTooLargeError(topic)
        self.log.append(topic, value, key=key, headers=headers, partition=partition)


def _broker_over(producer: LogProducer) -> "KafkaBroker":
    """Where the publisher looks for aiokafka's producer within FastStream's broker, it finds this one."""
    return cast("KafkaBroker", SimpleNamespace(_producer=SimpleNamespace(_producer=SimpleNamespace(producer=producer))))


@cache
def most_bytes() -> Mapping[str, int]:
    """What a broker would take at most in a record of each topic."""
    limits = {
        name: int(spec.config.get("max.message.bytes", _USUAL_BYTES)) for name, spec in TopicPlan.load().specs().items()
    }
    assert set(limits) == topics.all_topics()
    return limits


class StrictTransport:
    """One service's connection to the log."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.publisher = KafkaPublisher.over(_broker_over(LogProducer(log, most_bytes())))
        self.subscriptions: list[MemorySubscription] = []

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> Subscription:
        subscription = MemorySubscription(self._log, group, frozenset(topics), intake, self.publisher)
        self.subscriptions.append(subscription)
        asyncio.get_running_loop().call_soon(subscription.join)
        return subscription

    async def close(self) -> None:
        for subscription in self.subscriptions:
            await subscription.leave()


def uncommitted(log: MemoryLog) -> dict[tuple[str, TopicPartition], int]:
    """How many records each group has still to commit, where there are any."""
    found: dict[tuple[str, TopicPartition], int] = {}
    for group, members in log.members.items():
        for topic in sorted({topic for member in members for topic in member.topics}):
            for number in range(log.partitions):
                place = TopicPartition(topic, number)
                left = len(log.records[place]) - log.committed.get((group, place), 0)
                if left:
                    found[group, place] = left
    return found
