"""The log as the runtime sees it; Kafka and the in-memory twin both provide it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from headrace.messaging.contract import Publisher
from headrace.messaging.records import Received, TopicPartition


class Mark(NamedTuple):
    """A committed offset, and the note that stands beside it (`headrace.messaging.ahead`)."""

    offset: int
    note: str = ""


class Intake(Protocol):
    """What consumes records. `receive` never blocks: whoever is full pauses the partition."""

    def receive(self, record: Received) -> None:
        """Take a record."""
        ...

    def broken(self, error: BaseException) -> None:
        """A record could not be taken in."""
        ...

    def assigned(self, partitions: Collection[TopicPartition], *, unbroken: bool = True) -> None:
        """These partitions are ours from here on, read from their committed offsets.

        Not `unbroken`: somebody else may have held them meanwhile, and what was begun here counts no more.
        """
        ...

    def remember(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """What was committed of partitions that are ours now; said before any record of them."""
        ...

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are about to leave: finish, commit, forget."""
        ...


class Subscription(Protocol):
    """A place in a consumer group."""

    async def commit(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """Commit exactly these; raise `Retryable` if the broker could not be asked, `NotOurs` if it refused."""
        ...

    def annotates(self, place: TopicPartition) -> bool:
        """Whether a note is kept beside this partition's offset."""
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Stop fetching from these; membership and the others go on."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Fetch from these again."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """What is ours now."""
        ...

    def holds(self, place: TopicPartition) -> bool:
        """Whether the partition is certainly ours: False as well while the group may have moved on unnoticed."""
        ...

    def outlet(self, record: Received) -> Publisher:
        """Publishes the effects of a record; raises `Fenced` where its partition is not held."""
        ...

    def afresh(self, record: Received) -> None:
        """The record is tried again: what the try before has published and what can still be held back goes nowhere."""
        ...


class Transport(Protocol):
    """A connection to the log."""

    @property
    def publisher(self) -> Publisher:
        """Where messages go out."""
        ...

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> Subscription:
        """Join a group; records flow into `intake` from now on."""
        ...

    async def close(self) -> None:
        """Leave the groups and close the connections. Drain first."""
        ...


class NotOurs(Exception):  # noqa: N818 - reads as the sentence it is
    """The group has moved on: the partition belongs to somebody else, who will do this work again."""
