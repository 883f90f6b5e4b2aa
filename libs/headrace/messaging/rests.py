"""Messages that wait for the time of their next try, and the one timer that wakes them."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from headrace.messaging.clock import Clock
from headrace.messaging.records import TopicPartition
from headrace.messaging.resting import Resting
from headrace.messaging.schedule import Work


class Rests:
    """Gives what has rested long enough to `woken`."""

    def __init__(self, clock: Clock, woken: Callable[[Sequence[Work]], None]) -> None:
        self._clock = clock
        self._woken = woken
        self._resting = Resting()
        self._timer: asyncio.Task[None] | None = None
        self._timer_ms = 0

    def put(self, work: Work, due_ms: int) -> None:
        """Let it rest until then, epoch milliseconds."""
        self._resting.put(work, due_ms)
        if self._timer and not self._timer.done():
            if self._timer_ms <= due_ms:
                return
            self._timer.cancel()
        self._timer_ms = due_ms
        self._timer = asyncio.create_task(self._wake(), name="rest")

    def count(self, place: TopicPartition) -> int:
        """How many of a partition rest."""
        return self._resting.count(place)

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """Forget those of partitions that are no longer ours."""
        self._resting.drop(partitions)

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._timer:
            self._timer.cancel()

    async def _wake(self) -> None:
        while (due_ms := self._resting.next_ms) is not None:
            self._timer_ms = due_ms
            await self._clock.sleep(max(0, due_ms - self._clock.now_ms()) / 1000)
            self._woken(self._resting.due(self._clock.now_ms()))
