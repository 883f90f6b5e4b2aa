"""What the dispatcher asks of whoever handles a topic's records."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from headrace.messaging.records import Received, TopicPartition


@dataclass(frozen=True, slots=True)
class Finished:
    """The record's effects are acknowledged: its offset may be committed."""


@dataclass(frozen=True, slots=True)
class Held:
    """The record belongs to a stream that goes on: its offset waits for the stream's end."""

    stream: str


@dataclass(frozen=True, slots=True)
class Released:
    """The stream has ended: every offset held for it may be committed, this one too."""

    stream: str


Processed = Finished | Held | Released


class Processor(Protocol):
    """Handles the records of one topic."""

    @property
    def stage(self) -> str:
        """Names the work in dead letters, metrics and spans."""
        ...

    @property
    def streaming(self) -> bool:
        """Whether offsets are held until later records have come."""
        ...

    def ordered(self, record: Received) -> bool:
        """Whether those behind this record on its key must wait for it when it fails."""
        ...

    @property
    def interactive(self) -> bool:
        """Which lane the records run in."""
        ...

    async def process(self, record: Received, delivery: int) -> Processed:
        """Do the work and return once its effects are acknowledged; raise what `consequence` decides upon."""
        ...

    async def buried(self, record: Received, error: BaseException) -> Processed:
        """The record is a dead letter now: tell whoever waits for its answer."""
        ...

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are no longer ours: drop what is remembered of them."""
        ...
