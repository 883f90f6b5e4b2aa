"""What the simulated broker keeps: partitions with gaps in their offsets, and compaction."""

import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
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
        # Records of transactions that have not ended: nobody reads them, nor what stands behind them.
        self._held: dict[TopicPartition, list[int]] = defaultdict(list)
        self._places: dict[frozenset[str], list[TopicPartition]] = {}
        # Told of a record once it can be read.
        self.listeners: list[Callable[[Received], None]] = []
        # Told where something may be read that could not be before.
        self.moved: Callable[[TopicPartition], None] = lambda _place: None

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Collection[tuple[str, bytes]] = (),
        partition: int | None = None,
        held: bool = False,
    ) -> Received:
        """Append and tell all who listen; `held`: not before it is released."""
        if partition is None:
            partition = zlib.crc32(key or b"") % self.partitions
        place = TopicPartition(topic, partition)
        offset, raw = self._ends[place], tuple(headers)
        record = Received(topic, partition, offset, self._clock.now_ms(), key, value, raw, lenient(raw))
        self._records[place].append(record)
        gap = self._choice.randint(1, 3) if self._gaps and self._choice.random() < self._gaps else 0
        self._ends[place] = offset + 1 + gap
        if held:
            self._held[place].append(offset)
        else:
            self._tell(record)
        return record

    def release(self, records: Collection[Received]) -> None:
        """The transaction of these records was committed."""
        self._unhold(records)
        for record in records:
            self._tell(record)

    def drop(self, records: Collection[Received]) -> None:
        """The transaction of these records was aborted."""
        self._unhold(records)
        for place in {record.home for record in records}:
            gone = {record.offset for record in records if record.home == place}
            self._records[place] = [each for each in self._records[place] if each.offset not in gone]
            self.moved(place)

    def read(self, place: TopicPartition, position: int, limit: int) -> list[Received]:
        """Records from a position on."""
        records = self._records[place]
        start = bisect_left(records, position, key=_offset)
        found = records[start : start + limit]
        if held := self._held[place]:
            return [record for record in found if record.offset < held[0]]
        return found

    def of(self, topic: str) -> list[Received]:
        """Every record of a topic, partition by partition."""
        return [record for place, records in self._records.items() if place.topic == topic for record in records]

    def places(self, topics: Collection[str]) -> Sequence[TopicPartition]:
        """The partitions of these topics."""
        named = frozenset(topics)
        if named not in self._places:
            self._places[named] = [
                TopicPartition(name, place) for name in sorted(named) for place in range(self.partitions)
            ]
        return self._places[named]

    def last(self, place: TopicPartition) -> int:
        """The offset of the last record; -1 where there is none."""
        records = self._records[place]
        return records[-1].offset if records else -1

    def _unhold(self, records: Collection[Received]) -> None:
        for record in records:
            self._held[record.home].remove(record.offset)
        for place in {record.home for record in records}:
            # The marker of the transaction's end.
            self._ends[place] += 1

    def _tell(self, record: Received) -> None:
        for listener in self.listeners:
            listener(record)
        self.moved(record.home)

    def compact(self, topic: str) -> None:
        """Drop what a later record of the same key supersedes, except the last record of a partition."""
        for place in self.places([topic]):
            latest = {record.key: record.offset for record in self._records[place]}
            self._records[place] = [each for each in self._records[place] if latest[each.key] == each.offset]


def _offset(record: Received) -> int:
    return record.offset
