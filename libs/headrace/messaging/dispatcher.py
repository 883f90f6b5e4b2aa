"""Runs a service's messages: many at once, each key in order, none forgotten.

A record comes in by `receive`, waits in the schedule, runs as a task and is settled with the committer once its effects
are acknowledged. Nothing here blocks the poll, so that work of any length never costs the group its membership.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from headrace.messaging import topics
from headrace.messaging.arrival import arrived, due_ms
from headrace.messaging.attempts import Attempts, Parked
from headrace.messaging.breaker import BreakerPolicy
from headrace.messaging.breakers import Breakers
from headrace.messaging.clock import Clock
from headrace.messaging.committer import Committer
from headrace.messaging.crashes import Crashes
from headrace.messaging.errors import Retryable
from headrace.messaging.failures import Failures
from headrace.messaging.outlet import Outlet
from headrace.messaging.pauses import Pauses
from headrace.messaging.processing import Processor, Released
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.rests import Rests
from headrace.messaging.retries import RetryPolicy
from headrace.messaging.schedule import Schedule, Work
from headrace.messaging.transport import Mark, Subscription
from headrace.telemetry import metrics

log = structlog.get_logger()

# How long a rebalance may wait for work that is about to finish.
FLUSH_S = 1.0


class Dispatcher:
    """Between a consumer and the processors of its topics."""

    def __init__(
        self,
        service: str,
        processors: Mapping[str, Processor],
        *,
        outlet: Outlet,
        clock: Clock,
        capacity: int,
        policy: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
    ) -> None:
        self._service = service
        self._processors = processors
        self._outlet = outlet
        self._clock = clock
        policy = policy or RetryPolicy()
        self.retry_topics = frozenset(topics.retries_of(service, len(policy.rests_ms)))
        self._schedule = Schedule(capacity)
        self._rests = Rests(clock, self._woken)
        self._breakers = Breakers(
            service, breaker or BreakerPolicy(), clock=clock, probe=self._probe, reopen=self._reopen,
            busy=self._schedule.runs,
        )  # fmt: skip
        self._tasks: dict[asyncio.Task[None], Work] = {}
        self._subscription: Subscription | None = None
        self._draining = False
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._committer = Committer(service, clock=clock, capacity=capacity, fail=self._fail)
        self._pauses = Pauses(
            processors, capacity=capacity, waiting=lambda home: self._schedule.queued(home) + self._rests.count(home),
            parked=self._breakers.count, outstanding=self._committer.outstanding,
        )  # fmt: skip
        self._crashes = Crashes(self._committer, processors, alone_after=policy.alone_after)
        self._attempts = Attempts(
            service, processors, failures=Failures(service, outlet.of, clock), clock=clock, policy=policy,
            breaker=self._breakers.of, crashes=self._crashes, afresh=outlet.afresh, survived=self._survived,
        )  # fmt: skip

    def bind(self, subscription: Subscription) -> None:
        """Pause, resume, publish and commit by this place in the group; what came in by now may run."""
        self._subscription = subscription
        self._committer.bind(subscription)
        self._outlet.bind(subscription)
        self._pauses.bind(subscription)
        self._pump()

    @property
    def in_flight(self) -> int:
        """How many messages run now."""
        return len(self._tasks)

    def report(self) -> str:
        """Why the service does not work, in a sentence; empty if it does."""
        return self._breakers.report()

    def receive(self, record: Received) -> None:
        """Take a record; a full partition is paused, never refused."""
        if self._draining or not self._committer.start(record):
            return
        work = self._crashes.judged(arrived(record, self._processors, self.retry_topics))
        now_ms = self._clock.now_ms()
        due = due_ms(work.record, now_ms)
        if due > now_ms:
            self._rests.put(work, due)
        else:
            self._queue(work)
        self._ease(record.home)
        self._pump()

    def release(self, record: Received, stream: str) -> None:
        """Free the offsets that are held for a stream which will not end by itself."""
        self._committer.settle(record, Released(stream))

    def behind(self, home: TopicPartition) -> bool:
        """Whether more of a partition has come than was begun: silence of one of its streams says nothing then."""
        return self._pauses.behind(home)

    def broken(self, error: BaseException) -> None:
        """Stop the service: a record that was not taken in would be lost."""
        self._fail(error)

    def assigned(self, partitions: Collection[TopicPartition], *, unbroken: bool = True) -> None:
        """Go on with what came straight back to us; hand back the rest, and all of it if others held it meanwhile."""
        metrics.REBALANCES.labels(self._service).inc()
        known = self._committer.partitions
        self._hand_back(known - frozenset(partitions) if unbroken else known)
        self._pauses.again(partitions)
        self._crashes.resume(self._tasks.values())
        self._committer.resume()
        self._pump()

    def remember(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """Pass over what was finished before a crash behind something that was not."""
        self._committer.remember(marks)

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Finish what is nearly done and commit. What still runs goes on: most partitions come straight back."""
        leaving = frozenset(partitions)
        running = [task for task, work in self._tasks.items() if work.record.home in leaving]
        if running:
            _, unfinished = await asyncio.wait(running, timeout=FLUSH_S)
            self._crashes.let_go([self._tasks[task] for task in unfinished if task in self._tasks])
        try:
            await self._committer.flush()
        except Retryable as exc:
            log.warning("could not commit before the rebalance, some work will be repeated", error=str(exc))

    async def drain(self, seconds: float) -> None:
        """Take nothing new, finish what runs within the time, commit, leave the rest to the next owner."""
        self._draining = True
        if self._subscription:
            self._subscription.pause(self._subscription.assignment())
        self._breakers.stop()
        self._rests.stop()
        if self._tasks:
            _, unfinished = await asyncio.wait(list(self._tasks), timeout=seconds)
            for task in unfinished:
                task.cancel()
            if unfinished:
                log.warning("handed back unfinished work", messages=len(unfinished))
                await asyncio.wait(unfinished, timeout=1.0)
        try:
            await self._committer.flush()
        except Retryable as exc:
            log.warning("could not commit while draining, some work will be repeated", error=str(exc))
        await self._committer.close()

    def _woken(self, rested: Sequence[Work]) -> None:
        for work in rested:
            self._queue(work)
            self._ease(work.record.home)
        self._pump()

    def _queue(self, work: Work) -> None:
        if self._breakers.of(work.stage).open:
            self._breakers.park(work)
        else:
            self._schedule.put(work)

    def _pump(self) -> None:
        while not self._draining and self._subscription and (work := self._schedule.take()):
            task = asyncio.create_task(self._run(work), name=f"{self._service}:{work.record.topic}")
            self._tasks[task] = work
            task.add_done_callback(self._done)
        metrics.IN_FLIGHT.labels(self._service).set(len(self._tasks))

    def _done(self, task: asyncio.Task[None]) -> None:
        work = self._tasks.pop(task)
        self._schedule.release(work)
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)
        self._ease(work.record.home)
        self._pump()

    def _survived(self, work: Work) -> None:
        self._schedule.accompany(work)
        self._pump()

    async def _run(self, work: Work) -> None:
        outcome = await self._attempts.run(work)
        if not isinstance(outcome, Parked):
            self._committer.settle(work.record, outcome)
            return
        # Before the key is released: what waits for it must stay behind.
        if self._breakers.opened(work.stage, outcome.error):
            for waiting in self._schedule.extract(work.stage):
                self._breakers.park(waiting)
        self._breakers.park(work)

    async def _probe(self, work: Work) -> None:
        try:
            outcome = await self._attempts.probe(work)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the service cannot go on
            self._fail(exc)
            return
        if not isinstance(outcome, Parked):
            self._breakers.passed(work)
            self._committer.settle(work.record, outcome)

    def _reopen(self, waiting: Sequence[Work]) -> None:
        for work in waiting:
            self._schedule.put(work)
        # The partition of the record that was tried as well: nothing of it may be waiting any more.
        self._pauses.ease_all()
        self._pump()

    def _ease(self, home: TopicPartition) -> None:
        if not self._draining:
            self._pauses.ease(home)

    def _hand_back(self, gone: Collection[TopicPartition]) -> None:
        if not gone:
            return
        self._schedule.drop(gone)
        self._rests.drop(gone)
        self._breakers.drop(gone)
        for task, work in self._tasks.items():
            if work.record.home in gone:
                task.cancel()
        self._committer.forget(gone)
        self._pauses.forget(gone)
        for processor in self._processors.values():
            processor.forget(gone)
        log.info("partitions handed back", partitions=[f"{place.topic}:{place.partition}" for place in gone])

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_result(error)
