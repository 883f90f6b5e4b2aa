"""A place in a consumer group of Kafka, by the aiokafka consumer under FastStream's subscriber."""

import asyncio
from collections.abc import Collection, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidCommitOffsetSizeError,
    KafkaError,
    OffsetMetadataTooLargeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from headrace.messaging.contract import Publisher
from headrace.messaging.errors import Retryable
from headrace.messaging.membership import Membership
from headrace.messaging.outlet import FencedPublisher
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transactions import Transactions
from headrace.messaging.transport import Intake, Mark, NotOurs

log = structlog.get_logger()

COMMIT_TIMEOUT_S = 10.0
# Records of newly dealt partitions wait so long for the notes.
_MARKS_TIMEOUT_S = 5.0


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
        self._noted = True

    async def commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """Commit exactly these offsets, never "all that was fetched"; with their effects where that is asked for."""
        offsets = {place: mark.offset for place, mark in marks.items()}
        await self._transactions.commit(offsets, lambda plain: self._commit({place: marks[place] for place in plain}))

    def annotates(self, place: TopicPartition) -> bool:
        """Not where it is committed in a transaction: what is finished out of turn waits in memory there."""
        return self._noted and not self._transactions.covers(place.topic)

    async def marks(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Mark]:
        """What was committed of these; nothing where it cannot be learned, and some work is done twice."""
        places = [KafkaPartition(*place) for place in partitions if self.annotates(place)]
        if not places:
            return {}
        # The public `committed` gives the offset and keeps the note to itself.
        coordinator = self._consumer._coordinator  # noqa: SLF001 - as the line above says
        try:
            async with asyncio.timeout(_MARKS_TIMEOUT_S):
                found = await coordinator.fetch_committed_offsets(places)
        except (KafkaError, OSError) as exc:
            log.warning("notes beside the offsets not read, some work may be repeated", reason=type(exc).__name__)
            return {}
        return {TopicPartition(*place): Mark(held.offset, held.metadata or "") for place, held in found.items()}

    async def _commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._consumer.commit({KafkaPartition(*place): tuple(mark) for place, mark in marks.items()})
        except (
            CommitFailedError,
            IllegalGenerationError,
            IllegalStateError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        ) as exc:
            raise NotOurs(str(exc)) from exc
        except (InvalidCommitOffsetSizeError, OffsetMetadataTooLargeError) as exc:
            if not any(mark.note for mark in marks.values()):
                raise Retryable(f"the broker takes no commit: {type(exc).__name__}") from exc
            log.warning(
                "the broker takes no notes beside offsets, more will be repeated after a crash: "
                "set offset.metadata.max.bytes to 4096"
            )
            self._noted = False
            await self._commit({place: Mark(mark.offset) for place, mark in marks.items()})
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
        # What waits for the place in the group, and for what was committed before.
        self._early: list[Received] | None = []

    async def bind(self, subscription: KafkaSubscription) -> None:
        """From here on records go to the intake by way of the subscription."""
        self._subscription = subscription
        await self._remember(subscription, subscription.assignment())

    def receive(self, record: Received) -> None:
        """Take a record from the framework."""
        if self._subscription is None or self._early is not None:
            self._early = self._early or []
            self._early.append(record)
        else:
            self._subscription.receive(record)

    async def on_partitions_revoked(self, revoked: set[KafkaPartition]) -> None:
        """The group is about to deal anew."""
        if self._subscription:
            self._subscription.rejoins()
        if self._early is not None:
            # They are read again by whoever gets their partitions.
            self._early.clear()
        await self._intake.revoked([TopicPartition(place.topic, place.partition) for place in revoked])

    async def on_partitions_assigned(self, assigned: set[KafkaPartition]) -> None:
        """The group has dealt."""
        places = [TopicPartition(place.topic, place.partition) for place in assigned]
        if self._subscription is None:
            self._intake.assigned(places)
            return
        self._intake.assigned(places, unbroken=self._subscription.dealt(places))
        await self._remember(self._subscription, places)

    async def _remember(self, subscription: KafkaSubscription, places: Collection[TopicPartition]) -> None:
        self._early = self._early or []
        try:
            self._intake.remember(await subscription.marks(places))
        finally:
            # Whatever came of it, and also where the group has dealt again meanwhile.
            early, self._early = self._early or [], None
            for record in early:
                subscription.receive(record)
