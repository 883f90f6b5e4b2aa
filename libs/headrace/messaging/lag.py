"""How far consumer groups are behind, asked of the broker over one kept connection."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from headrace.messaging.errors import Retryable


@dataclass(frozen=True, slots=True)
class GroupLag:
    """One group on one topic: how many records wait or are at work, and the offsets that it has put behind it."""

    lag: int
    passed: int


class LagReader:
    """Reads lags; both numbers count offsets, so that gaps of compaction and transactions are in them."""

    def __init__(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._admin = admin
        self._consumer = consumer

    async def read(self, topics: Mapping[str, str]) -> dict[str, GroupLag]:
        """The lag of each topic, given its group's name. `Retryable` if the broker does not say."""
        try:
            return {topic: await self._read(topic, group) for topic, group in topics.items()}
        except (KafkaError, OSError) as exc:
            raise Retryable(f"the lag cannot be read: {type(exc).__name__}") from exc

    async def _read(self, topic: str, group: str) -> GroupLag:
        numbers = self._consumer.partitions_for_topic(topic) or await self._look_up(topic)
        places = [KafkaPartition(topic, number) for number in sorted(numbers)]
        if not places:
            return GroupLag(0, 0)
        committed = await self._admin.list_consumer_group_offsets(group, partitions=places)
        known = {place: found.offset for place, found in committed.items() if found.offset >= 0}
        # A group that has never committed begins at the beginning.
        known |= await self._consumer.beginning_offsets([place for place in places if place not in known])
        ends = await self._consumer.end_offsets(places)
        lag = sum(max(0, ends[place] - known[place]) for place in places)
        return GroupLag(lag, sum(known.values()))

    async def _look_up(self, topic: str) -> set[int]:
        (description,) = await self._admin.describe_topics([topic])
        return {partition["partition"] for partition in description["partitions"]}


@asynccontextmanager
async def lag_reader(bootstrap: str) -> AsyncIterator[LagReader]:
    """A reader for as long as the broker is there; `Retryable` if it is not."""
    servers = bootstrap.split(",")
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, client_id="headrace.lag", request_timeout_ms=5_000)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, client_id="headrace.lag", enable_auto_commit=False, request_timeout_ms=5_000
    )
    try:
        try:
            await admin.start()
            await consumer.start()
        except (KafkaError, OSError) as exc:
            raise Retryable(f"no Kafka answers at {bootstrap}: {type(exc).__name__}") from exc
        yield LagReader(admin, consumer)
    finally:
        with suppress(KafkaError, OSError):
            await consumer.stop()
        with suppress(KafkaError, OSError):
            await admin.close()
