"""The breaker of every stage in operation: what waits behind an open one, and the probe that closes it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from itertools import count as counting

import structlog

from headrace.messaging.breaker import Breaker, BreakerPolicy
from headrace.messaging.clock import Clock
from headrace.messaging.records import TopicPartition
from headrace.messaging.schedule import Work
from headrace.telemetry import metrics

log = structlog.get_logger()


class Breakers:
    """A breaker a stage; `probe` tries one record, `reopen` takes back what waited once a breaker is closed.

    `busy` says whether a record of this key still runs, which what is parked of the key must not overtake.
    """

    def __init__(
        self,
        service: str,
        policy: BreakerPolicy,
        *,
        clock: Clock,
        probe: Callable[[Work], Awaitable[None]],
        reopen: Callable[[Sequence[Work]], None],
        busy: Callable[[Hashable], bool],
    ) -> None:
        self._service = service
        self._policy = policy
        self._clock = clock
        self._probe = probe
        self._reopen = reopen
        self._busy = busy
        self._breakers: dict[str, Breaker] = {}
        self._parked: dict[str, list[Work]] = {}
        self._by_place: Counter[TopicPartition] = Counter()
        self._reasons: dict[str, str] = {}
        self._probing: dict[str, asyncio.Task[None]] = {}
        self._stopped = False

    def of(self, stage: str) -> Breaker:
        """The breaker of a stage."""
        breaker = self._breakers.get(stage)
        if breaker is None:
            breaker = self._breakers[stage] = Breaker(self._policy)
        return breaker

    def opened(self, stage: str, error: BaseException | None) -> bool:
        """Note why a breaker opened; True the first time, when what waits for the stage is to be parked too."""
        if stage in self._reasons:
            return False
        self._reasons[stage] = type(error).__name__ if error else "unknown"
        metrics.BREAKER_OPEN.labels(self._service, stage).set(1)
        log.error(
            "breaker open: the stage fails on everything, so nothing more is given up; one message is tried now and "
            "then, and /readyz says so until it passes",
            stage=stage,
            error=self._reasons[stage],
        )
        self._parked.setdefault(stage, [])
        self._try_now_and_then(stage)
        return True

    def park(self, work: Work) -> None:
        """Keep a record until the breaker of its stage is closed."""
        self._parked.setdefault(work.stage, []).append(work)
        self._by_place[work.record.home] += 1

    def count(self, place: TopicPartition) -> int:
        """How many records of a partition are parked."""
        return self._by_place[place]

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """Forget the records of partitions that are no longer ours, and what is being tried of them."""
        for stage, parked in self._parked.items():
            kept = [work for work in parked if work.record.home not in partitions]
            if len(kept) == len(parked):
                continue
            self._parked[stage] = kept
            if task := self._probing.pop(stage, None):
                task.cancel()
                self._try_now_and_then(stage)
        for place in partitions:
            self._by_place.pop(place, None)

    def report(self) -> str:
        """What is wrong, in a sentence; empty if nothing is."""
        return "; ".join(
            f"the breaker of stage {stage} is open after a flood of {reason}: a message is tried every "
            f"{self.of(stage).cooldown_s:.0f} s"
            for stage, reason in self._reasons.items()
        )

    def stop(self) -> None:
        """Try nothing more, whatever opens from now on; what is parked is left to the next owner.

        What a drain cancels frees its key, and what is parked behind it would overtake it.
        """
        self._stopped = True
        for task in self._probing.values():
            task.cancel()

    def _try_now_and_then(self, stage: str) -> None:
        if not self._stopped:
            self._probing[stage] = asyncio.create_task(self._until_closed(stage), name=f"probe:{stage}")

    async def _until_closed(self, stage: str) -> None:
        breaker = self.of(stage)
        for turn in counting():
            await self._clock.sleep(breaker.cooldown_s)
            parked = self._in_order(stage)
            first = [work for key, work in {work.key: work for work in reversed(parked)}.items() if not self._busy(key)]
            if first:
                # Another key every time: one poisoned message must not keep the breaker open.
                await self._probe(first[turn % len(first)])
            elif not parked:
                # Nothing is here to try: whatever comes next tells.
                breaker.close()
            if not breaker.open:
                break
        self._close(stage)

    def passed(self, work: Work) -> None:
        """A parked record was worked off by the probe."""
        parked = self._parked.get(work.stage)
        if parked and work in parked:
            parked.remove(work)
            self._by_place[work.record.home] -= 1

    def _in_order(self, stage: str) -> list[Work]:
        return sorted(self._parked.get(stage, ()), key=lambda work: (work.record.home, work.record.offset))

    def _close(self, stage: str) -> None:
        waiting = self._in_order(stage)
        self._parked.pop(stage, None)
        for work in waiting:
            self._by_place[work.record.home] -= 1
        self._probing.pop(stage, None)
        self._reasons.pop(stage, None)
        metrics.BREAKER_OPEN.labels(self._service, stage).set(0)
        log.info("breaker closed", stage=stage, waited=len(waiting))
        self._reopen(waiting)
