"""Which partitions are paused: those that are full, and those that cannot be worked on."""

from collections.abc import Callable, Collection, Mapping

from headrace.messaging.processing import Processor
from headrace.messaging.records import TopicPartition
from headrace.messaging.transport import Subscription

# How many offsets of a partition may be delivered and not yet committed, for each message that may run. Whatever is
# finished behind a slow one is done again after a crash, and a transaction keeps its effects in memory until then.
OUTSTANDING = 512


class Pauses:
    """Pauses and resumes partitions by how much of them waits."""

    def __init__(
        self,
        processors: Mapping[str, Processor],
        *,
        capacity: int,
        waiting: Callable[[TopicPartition], int],
        parked: Callable[[TopicPartition], int],
        outstanding: Callable[[TopicPartition], int],
    ) -> None:
        """Of a partition: what is `waiting` for a slot or a time, `parked` by a breaker, `outstanding` to commit."""
        self._processors = processors
        self._high, self._low, self._most = 4 * capacity, capacity, OUTSTANDING * capacity
        self._waiting, self._parked, self._outstanding = waiting, parked, outstanding
        self._paused: set[TopicPartition] = set()
        self._subscription: Subscription | None = None

    def bind(self, subscription: Subscription) -> None:
        """Pause and resume by this place in the group."""
        self._subscription = subscription

    def ease(self, home: TopicPartition) -> None:
        """Pause a partition that is full or cannot be worked on; resume one that has room."""
        if self._subscription is None:
            return
        parked = self._parked(home)
        waiting = self._waiting(home) + parked
        processor = self._processors.get(home.topic)
        # A stream's offsets are held until its end, which a pause would never let come.
        stalled = self._outstanding(home) > self._most and not (processor and processor.streaming)
        if home not in self._paused and (waiting > self._high or parked or stalled):
            self._paused.add(home)
            self._subscription.pause([home])
        elif home in self._paused and waiting < self._low and not parked and not stalled:
            self._paused.discard(home)
            self._subscription.resume([home])

    def behind(self, home: TopicPartition) -> bool:
        """Whether records of a partition wait to be worked on: here, or in the log while it is paused."""
        return home in self._paused or self._waiting(home) + self._parked(home) > 0

    def ease_all(self) -> None:
        """Resume whatever has room again."""
        for home in list(self._paused):
            self.ease(home)

    def again(self, partitions: Collection[TopicPartition]) -> None:
        """Pause what was paused before the group dealt its partitions again."""
        if self._subscription and (still := self._paused & frozenset(partitions)):
            self._subscription.pause(still)

    def forget(self, gone: Collection[TopicPartition]) -> None:
        """Drop what is known of partitions that are not ours any more."""
        self._paused -= frozenset(gone)
