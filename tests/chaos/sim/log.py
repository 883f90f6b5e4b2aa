"""What the simulated broker keeps: partitions with gaps in their offsets, and compaction."""

import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection
from random import Random

from headrace.messaging.clock import Clock
from headrace.messaging.records import Received, TopicPartition, lenient


class SimLog:
    """Topics come into being with their first record or reader; each has the same number of partitions."""

    def __init__(self, partitions: int, clock: Clock, choice: Random, *, gaps: float) -> None:
        self.partitions = partitions
        self._clock = clock
        self._choice = choice
        # The share of records that leave a gap behind, as transaction markers do.
        self._gaps = gaps
        self._records: dict[TopicPartition, list[Received]] = defaultdict(list)
        self._ends: dict[TopicPartition, int] = defaultdict(int)
        self.listeners: list[Callable[[Received], None]] = []

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Collection[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> Received:
        """Append and tell all who listen."""
        if partition is None:
            partition = zlib.crc32(key or b"") % self.partitions
        place = TopicPartition(topic, partition)
        offset, raw = self._ends[place], tuple(headers)
        record = Received(topic, partition, offset, self._clock.now_ms(), key, value, raw, lenient(raw))
        self._records[place].append(record)
        gap = self._choice.randint(1, 3) if self._gaps and self._choice.random() < self._gaps else 0
        self._ends[place] = offset + 1 + gap
        for listener in self.listeners:
            listener(record)
        return record

    def read(self, place: TopicPartition, position: int, limit: int) -> list[Received]:
        """Records from a position on."""
        records = self._records[place]
        start = bisect_left(records, position, key=_offset)
        return records[start : start + limit]

    def of(self, topic: str) -> list[Received]:
        """Every record of a topic, partition by partition."""
        return [record for place, records in self._records.items() if place.topic == topic for record in records]

    def places(self, topics: Collection[str]) -> list[TopicPartition]:
        """The partitions of these topics."""
        return [TopicPartition(topic, number) for topic in sorted(topics) for number in range(self.partitions)]

    def last(self, place: TopicPartition) -> int:
        """The offset of the last record; -1 where there is none."""
        records = self._records[place]
        return records[-1].offset if records else -1

    def compact(self, topic: str) -> None:
        """Drop what a later record of the same key supersedes, except the last record of a partition."""
        for place in self.places([topic]):
            latest = {record.key: record.offset for record in self._records[place]}
            self._records[place] = [each for each in self._records[place] if latest[each.key] == each.offset]


def _offset(record: Received) -> int:
    return record.offset
