"""The gateway's ports in memory: reply partitions on a `MemoryLog`, and a turn index that can be taken down."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from headrace.messaging import topics
from headrace.messaging.errors import Retryable
from headrace.messaging.records import Received, TopicPartition
from services.gateway.adapters.wire import content_of
from services.gateway.domain.places import Offsets, Place
from services.gateway.ports import Known, ListedModel, Reading, Reply
from tests.fakes.memory_log import MemoryLog


def places(partition: int) -> tuple[TopicPartition, TopicPartition]:
    return TopicPartition(topics.RESPONSE_DELTAS, partition), TopicPartition(topics.RESPONSES, partition)


@dataclass
class MemoryReplyTail:
    """Reads reply partitions of a `MemoryLog`."""

    log: MemoryLog
    # How often a partition was begun to be read, and from where.
    begun: list[tuple[int, Offsets]] = field(default_factory=list)

    async def reachable(self) -> bool:
        return True

    async def partitions(self) -> int:
        return self.log.partitions

    async def follow(
        self, partition: int, start: Offsets | None, started: Callable[[Offsets], None]
    ) -> AsyncGenerator[Reply]:
        deltas, responses = places(partition)
        at = start or Offsets(len(self.log.records[deltas]), len(self.log.records[responses]))
        positions = {deltas: at.deltas, responses: at.responses}
        self.begun.append((partition, at))
        started(at)
        while True:
            record = self._next(positions)
            if record is None:
                await self.log.appended().wait()
                continue
            positions[record.home] += 1
            turn_id, content = content_of(record)
            yield Reply(turn_id, content, Offsets(positions[deltas], positions[responses]))

    async def find(self, turn_id: str) -> Place | None:
        for partition in range(self.log.partitions):
            records = [record for place in places(partition) for record in self.log.records[place]]
            if any(content_of(record)[0] == turn_id for record in records):
                return Place(partition, Offsets(0, 0))
        return None

    def _next(self, positions: Mapping[TopicPartition, int]) -> Received | None:
        for place, position in positions.items():
            if position < len(self.log.records[place]):
                return self.log.records[place][position]
        return None


@dataclass
class MemoryTurnIndex:
    """A turn index without Redis."""

    down: bool = False
    turns: dict[str, Known] = field(default_factory=dict)
    watchers: dict[str, set[str]] = field(default_factory=dict)

    async def claim(self, turn_id: str, place: Place) -> Known | None:
        self._reach()
        known = self.turns.get(turn_id)
        self.turns.setdefault(turn_id, Known(place, accepted=False))
        return known

    async def confirm(self, turn_id: str, place: Place) -> None:
        self._reach()
        self.turns[turn_id] = Known(place, accepted=True)

    async def release(self, turn_id: str) -> None:
        self._reach()
        self.turns.pop(turn_id, None)

    async def find(self, turn_id: str) -> Known | None:
        self._reach()
        return self.turns.get(turn_id)

    async def watch(self, turn_id: str, gateway: str) -> None:
        self._reach()
        self.watchers.setdefault(turn_id, set()).add(gateway)

    async def unwatch(self, turn_id: str, gateway: str) -> None:
        self._reach()
        self.watchers.get(turn_id, set()).discard(gateway)

    async def watched(self, turn_id: str) -> bool:
        self._reach()
        return bool(self.watchers.get(turn_id))

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the turn index is down")


@dataclass
class FixedBacklog:
    """A backlog that is what a test says."""

    reading: Reading = field(default_factory=lambda: Reading(0, 0))
    down: bool = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["FixedBacklog"]:
        yield self

    async def read(self) -> Reading:
        if self.down:
            raise Retryable("the backlog cannot be read")
        return self.reading


@dataclass(frozen=True)
class FixedModels:
    """A registry of two."""

    models: Sequence[ListedModel] = (
        ListedModel("smollm2-135m-instruct", "chat", 4096),
        ListedModel("all-minilm-l6-v2", "embed", 256),
    )

    def listed(self) -> Sequence[ListedModel]:
        return self.models


@dataclass
class FixedTraces:
    """Waterfalls by turn."""

    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def waterfall(self, turn_id: str) -> Mapping[str, Any]:
        return self.known.get(turn_id, {"started_ns": 0, "total_ms": 0.0, "spans": []})
