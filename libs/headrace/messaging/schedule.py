"""Which message runs next: ordered within a key, concurrent between keys, the interactive lane first.

Pure: no clock, no I/O.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from headrace.messaging.records import Received, TopicPartition


@dataclass(slots=True, eq=False)
class Work:
    """A record that waits for its turn."""

    record: Received
    key: Hashable
    interactive: bool
    # The topic that the record came from first: on a retry topic another than the record's own.
    source: str = ""
    stage: str = ""
    # How often the record was delivered, from 1, and how often it was tried in this place.
    delivery: int = 1
    tries: int = 0
    # How many processes have died while it was at work; it runs alone where that may have been its doing.
    crashes: int = 0
    alone: bool = False
    # Whether it is written down that it is at work, and whether it only waits for its next try.
    begun: bool = False
    resting: bool = False


class Schedule:
    """Two lanes of per-key queues. A key that runs is busy until released. What runs alone goes before all others."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        # Batch work never takes the last quarter of the slots: a question must find one free at once.
        self._batch_capacity = max(1, capacity - max(1, capacity // 4)) if capacity > 1 else 1
        self._waiting: dict[Hashable, deque[Work]] = {}
        self._ready: dict[bool, deque[Hashable]] = {True: deque(), False: deque()}
        self._ready_alone: deque[Hashable] = deque()
        self._alone: Work | None = None
        self._running: dict[Hashable, Work] = {}
        self._running_batch = 0
        self._queued: Counter[TopicPartition] = Counter()

    def put(self, work: Work) -> None:
        """Queue behind what already waits for the same key."""
        self._queued[work.record.home] += 1
        queue = self._waiting.get(work.key)
        if queue is not None:
            queue.append(work)
            return
        self._waiting[work.key] = deque((work,))
        if work.key not in self._running:
            self._is_ready(work)

    def take(self) -> Work | None:
        """The next message that may run now; its key is busy until `release`."""
        if self._alone is not None or len(self._running) >= self._capacity:
            return None
        if first := self._next(self._ready_alone):
            # Nothing new begins until it has had its turn. What rests in its place may do so for minutes.
            if not all(work.resting for work in self._running.values()):
                return None
            self._alone = first
            return self._begin(first)
        for interactive in (True, False):
            if not interactive and self._running_batch >= self._batch_capacity:
                return None
            if first := self._next(self._ready[interactive]):
                return self._begin(first)
        return None

    def accompany(self, work: Work) -> None:
        """It need not be alone any more."""
        if self._alone is work:
            self._alone = None

    def release(self, work: Work) -> None:
        """The key is free; what waits for it may run."""
        if self._running.pop(work.key, None) is None:
            return
        self.accompany(work)
        self._running_batch -= not work.interactive
        if queue := self._waiting.get(work.key):
            self._is_ready(queue[0])

    def _is_ready(self, first: Work) -> None:
        self._ready_of(first).append(first.key)

    def _ready_of(self, first: Work) -> deque[Hashable]:
        return self._ready_alone if first.alone else self._ready[first.interactive]

    def _next(self, ready: deque[Hashable]) -> Work | None:
        """The first of those that are ready. What was dropped meanwhile is not, and another may stand in its place."""
        while ready:
            queue = self._waiting.get(ready[0])
            first = queue[0] if queue and ready[0] not in self._running else None
            if first is not None and self._ready_of(first) is ready:
                return first
            ready.popleft()
            if first is not None:
                self._is_ready(first)
        return None

    def _begin(self, first: Work) -> Work:
        self._ready_of(first).popleft()
        queue = self._waiting[first.key]
        queue.popleft()
        if not queue:
            del self._waiting[first.key]
        self._queued[first.record.home] -= 1
        self._running[first.key] = first
        # It comes back from waiting behind a breaker, perhaps, and is at work from here.
        first.resting = False
        self._running_batch += not first.interactive
        return first

    def extract(self, stage: str) -> list[Work]:
        """Take out all that waits for a stage, each key in order; what runs goes on."""
        found: list[Work] = []
        for key, queue in list(self._waiting.items()):
            mine = [work for work in queue if work.stage == stage]
            if mine:
                found += mine
                self._keep(key, [work for work in queue if work.stage != stage])
        self._queued.subtract(work.record.home for work in found)
        return found

    def drop(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget what is queued (not what runs) for partitions that are no longer ours."""
        gone = frozenset(partitions)
        for key in [key for key, queue in self._waiting.items() if any(work.record.home in gone for work in queue)]:
            self._keep(key, [work for work in self._waiting[key] if work.record.home not in gone])
        for partition in gone:
            self._queued.pop(partition, None)

    def _keep(self, key: Hashable, works: list[Work]) -> None:
        if works:
            self._waiting[key] = deque(works)
        else:
            del self._waiting[key]

    def queued(self, partition: TopicPartition) -> int:
        """How many messages of a partition wait."""
        return self._queued[partition]

    def running(self) -> tuple[Work, ...]:
        """What runs now."""
        return tuple(self._running.values())

    def runs(self, key: Hashable) -> bool:
        """Whether a message of this key runs now."""
        return key in self._running

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._running and not self._waiting
