"""The readers without a group, as shipped, on the log in memory: the gateway's, and the operator's of letters."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

from headrace.messaging import topics
from headrace.messaging.letters import described, opened
from headrace.messaging.records import TopicPartition
from services.gateway.adapters.wire import content_of
from services.gateway.domain.places import Offsets, Place
from services.gateway.domain.shelf import Shelf
from services.gateway.handlers.reading import PartitionReader
from services.gateway.handlers.turns import Turns
from services.gateway.ports import Reply
from tests.fakes.memory_log import MemoryLog

_LOOK_S: Final = 0.01


class LogReplyTail:
    """The reply topics in memory, read like those on Kafka: every record through the gateway's own translation."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def reachable(self) -> bool:
        return True

    async def partitions(self) -> int:
        return self._log.partitions

    async def find(self, turn_id: str) -> Place | None:
        return None

    async def follow(
        self, partition: int, start: Offsets | None, started: Callable[[Offsets], None]
    ) -> AsyncGenerator[Reply]:
        places = (TopicPartition(topics.RESPONSE_DELTAS, partition), TopicPartition(topics.RESPONSES, partition))
        at = [start.deltas, start.responses] if start else [0, 0]
        started(Offsets(*at))
        while True:
            for index, place in enumerate(places):
                while at[index] < len(self._log.records[place]):
                    record = self._log.records[place][at[index]]
                    at[index] += 1
                    turn_id, content = content_of(record)
                    yield Reply(turn_id, content, Offsets(*at))
            await asyncio.sleep(_LOOK_S)


class Gateway:
    """What a gateway does with replies: one reader a partition, all turns held by it."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.turns = Turns(shelf=Shelf(1 << 20), stragglers_s=2.0, wait_s=1e6)
        tail = LogReplyTail(log)
        self._readers = [PartitionReader(tail, number, self._feed) for number in range(log.partitions)]
        self.read: set[str] = set()
        self.awaited: set[str] = set()

    def start(self) -> None:
        """Begin at the beginning."""
        for reader in self._readers:
            reader.start()

    async def stop(self) -> None:
        """Stop reading."""
        self.turns.close()
        for reader in self._readers:
            await reader.stop()

    def behind(self) -> list[str]:
        """A sentence for each partition of which not all is read."""
        found = []
        for number, reader in enumerate(self._readers):
            at = reader.position or Offsets(0, 0)
            for topic, position in ((topics.RESPONSE_DELTAS, at.deltas), (topics.RESPONSES, at.responses)):
                left = len(self._log.records[TopicPartition(topic, number)]) - position
                if left:
                    found.append(
                        f"the gateway stands still in {topic}/{number}: {left} replies unread, {reader.problem}"
                    )
        return found

    def _feed(self, turn_id: str, content: object) -> None:
        if turn_id in self.awaited and self.turns.get(turn_id) is None:
            self.turns.hold(turn_id)
        # The shipped way of every reply to whoever follows its turn.
        self.turns.feed(turn_id, content)  # type: ignore[arg-type]  # the reader hands on what it was given
        if turn_id in self.awaited and (turn := self.turns.get(turn_id)) and (turn.log.has_text or turn.log.answer):
            self.read.add(turn_id)


class LetterReader:
    """What `headrace dlq list` does with each record of the dead letters' topic."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._at = [0] * log.partitions
        self.listed: set[str] = set()
        self.wrong: list[str] = []

    def read_on(self) -> None:
        """Everything that came since."""
        for number in range(self._log.partitions):
            records = self._log.records[TopicPartition(topics.DEAD_LETTERS, number)]
            for record in records[self._at[number] :]:
                try:
                    letter = opened(record)
                    described(record, letter)
                    self.listed.add(str(letter.origin.offset))
                except Exception as exc:  # noqa: BLE001 - whatever it raises, the operator's list ends with it
                    self.wrong.append(
                        f"the list of dead letters ends at a record: {exc!r}; headers {record.headers}"[:400]
                    )
            self._at[number] = len(records)
