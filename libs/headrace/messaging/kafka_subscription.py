"""A place in a consumer group of Kafka, by the aiokafka consumer under FastStream's subscriber."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from headrace.messaging.contract import Publisher
from headrace.messaging.errors import Retryable
from headrace.messaging.membership import Membership
from headrace.messaging.outlet import FencedPublisher
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transactions import Transactions
from headrace.messaging.transport import Intake, NotOurs

COMMIT_TIMEOUT_S = 10.0


class KafkaSubscription:
    """Commits, pauses and publishes as a member."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        membership: Membership,
        transactions: Transactions,
        publisher: Publisher,
    ) -> None:
        self._consumer = consumer
        self._membership = membership
        self._transactions = transactions
        self._publisher = publisher

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit exactly these offsets, never "all that was fetched"; with their effects where that is asked for."""
        await self._transactions.commit(offsets, self._commit)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._consumer.commit({KafkaPartition(*place): offset for place, offset in offsets.items()})
        except (
            CommitFailedError,
            IllegalGenerationError,
            IllegalStateError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        ) as exc:
            raise NotOurs(str(exc)) from exc
        except (KafkaError, TimeoutError) as exc:
            raise Retryable(f"the commit was not acknowledged: {type(exc).__name__}") from exc

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Pause those that are still ours."""
        ours = self.assignment()
        self._consumer.pause(*(KafkaPartition(*place) for place in partitions if place in ours))

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Resume those that are still ours."""
        ours = self.assignment()
        self._consumer.resume(*(KafkaPartition(*place) for place in partitions if place in ours))

    def assignment(self) -> frozenset[TopicPartition]:
        """What the group gave us."""
        return frozenset(TopicPartition(place.topic, place.partition) for place in self._consumer.assignment())

    def holds(self, place: TopicPartition) -> bool:
        """Whether the partition is certainly ours."""
        return self._membership.holds(place)

    def outlet(self, record: Received) -> Publisher:
        """Publishes at once, or with the record's offset where that is asked for."""
        if self._transactions.covers(record.topic):
            return self._transactions.outlet(record)
        return FencedPublisher(self._publisher, self.holds, record.home)

    def afresh(self, record: Received) -> None:
        """What goes out at once cannot be taken back; what waits for its offset can."""
        self._transactions.afresh(record)

    async def close(self) -> None:
        """Close what belongs to this place alone; the consumer is the broker's."""
        await self._transactions.close()

    def receive(self, record: Received) -> None:
        """Hand a record on, once a transaction of its partition can be ours."""
        self._transactions.receive(record)

    def rejoins(self) -> None:
        """Note that the group is asked for partitions anew."""
        self._membership.rejoins()

    def dealt(self, partitions: Collection[TopicPartition]) -> bool:
        """Note a new assignment; whether what was begun before it still counts."""
        unbroken = self._membership.dealt()
        self._transactions.keep(partitions if unbroken else ())
        return unbroken


class RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Between aiokafka's callbacks and an intake. What comes before the place in the group is known waits."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._subscription: KafkaSubscription | None = None
        self._early: list[Received] = []

    def bind(self, subscription: KafkaSubscription) -> None:
        """From here on records go to the intake by way of the subscription."""
        self._subscription = subscription
        for record in self._early:
            subscription.receive(record)
        self._early.clear()

    def receive(self, record: Received) -> None:
        """Take a record from the framework."""
        if self._subscription is None:
            self._early.append(record)
        else:
            self._subscription.receive(record)

    async def on_partitions_revoked(self, revoked: set[KafkaPartition]) -> None:
        """The group is about to deal anew."""
        if self._subscription:
            self._subscription.rejoins()
        await self._intake.revoked([TopicPartition(place.topic, place.partition) for place in revoked])

    async def on_partitions_assigned(self, assigned: set[KafkaPartition]) -> None:
        """The group has dealt."""
        places = [TopicPartition(place.topic, place.partition) for place in assigned]
        unbroken = self._subscription.dealt(places) if self._subscription else True
        self._intake.assigned(places, unbroken=unbroken)
