"""Messages that wait for the time of their next try. Pure: no clock, no I/O."""

import heapq
from collections import Counter
from collections.abc import Collection
from itertools import count

from headrace.messaging.records import TopicPartition
from headrace.messaging.schedule import Work


class Resting:
    """By due time (epoch milliseconds), the earliest first; of those due together, the first to come."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Work]] = []
        self._arrivals = count()
        self._by_place: Counter[TopicPartition] = Counter()

    def put(self, work: Work, due_ms: int) -> None:
        """Let it rest until then."""
        heapq.heappush(self._heap, (due_ms, next(self._arrivals), work))
        self._by_place[work.record.home] += 1

    def due(self, now_ms: int) -> list[Work]:
        """Take out what has rested long enough."""
        found: list[Work] = []
        while self._heap and self._heap[0][0] <= now_ms:
            work = heapq.heappop(self._heap)[2]
            self._by_place[work.record.home] -= 1
            found.append(work)
        return found

    @property
    def next_ms(self) -> int | None:
        """When the next one is due."""
        return self._heap[0][0] if self._heap else None

    def count(self, place: TopicPartition) -> int:
        """How many of a partition rest."""
        return self._by_place[place]

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """Forget those of partitions that are no longer ours."""
        self._heap = [entry for entry in self._heap if entry[2].record.home not in partitions]
        heapq.heapify(self._heap)
        for place in partitions:
            self._by_place.pop(place, None)
