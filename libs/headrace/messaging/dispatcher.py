"""Runs a service's messages: many at once, each key in order, none forgotten.

A record comes in by `receive`, waits in the schedule, runs as a task and is settled with the committer once its effects
are acknowledged. Whatever it raises is decided by `retries.consequence`. Nothing here blocks the poll, so that work of
any length never costs the group its membership.
"""

import asyncio
import random
from collections.abc import Collection, Mapping

import structlog

from headrace.messaging import headers
from headrace.messaging.clock import Clock
from headrace.messaging.committer import Committer
from headrace.messaging.contract import Publisher
from headrace.messaging.errors import Fatal, Retryable
from headrace.messaging.failures import Failures
from headrace.messaging.processing import Finished, Processed, Processor, Released
from headrace.messaging.records import Received, TopicPartition, header_int
from headrace.messaging.retries import Bury, RetryInPlace, RetryLater, RetryPolicy, Stop, consequence
from headrace.messaging.schedule import Schedule, Work
from headrace.messaging.transport import Subscription
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
        publisher: Publisher,
        clock: Clock,
        capacity: int,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._service = service
        self._processors = processors
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._schedule = Schedule(capacity)
        self._failures = Failures(service, publisher, clock)
        self._high, self._low = 4 * capacity, capacity
        self._paused: set[TopicPartition] = set()
        self._tasks: dict[asyncio.Task[None], Work] = {}
        self._resting: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        self._draining = False
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._committer = Committer(service, clock=clock, fail=self._fail)

    def bind(self, subscription: Subscription) -> None:
        """Pause, resume and commit by this place in the group."""
        self._subscription = subscription
        self._committer.bind(subscription)

    @property
    def in_flight(self) -> int:
        """How many messages run now."""
        return len(self._tasks)

    def receive(self, record: Received) -> None:
        """Take a record; a full partition is paused, never refused."""
        if self._draining or not self._committer.start(record):
            return
        source = record.headers.get(headers.ORIGIN_TOPIC, record.topic)
        processor = self._processors.get(source)
        interactive = processor.interactive if processor else True
        unkeyed = record.key is None
        key = (source, record.home, record.offset) if unkeyed else (source, record.key)
        work = Work(record, key, interactive)
        wait_ms = header_int(record.headers, headers.NOT_BEFORE) - self._clock.now_ms()
        if wait_ms > 0:
            self._rest(work, wait_ms / 1000)
        else:
            self._schedule.put(work)
        if self._schedule.queued(record.home) > self._high and self._subscription and record.home not in self._paused:
            self._paused.add(record.home)
            self._subscription.pause([record.home])
        self._pump()

    def release(self, record: Received, stream: str) -> None:
        """Free the offsets that are held for a stream which will not end by itself."""
        self._committer.settle(record, Released(stream))

    def broken(self, error: BaseException) -> None:
        """Stop the service: a record that was not taken in would be lost."""
        self._fail(error)

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Go on with what came back to us; hand back what did not."""
        metrics.REBALANCES.labels(self._service).inc()
        gone = self._committer.partitions - frozenset(partitions)
        self._hand_back(gone)
        if self._subscription and (still := self._paused & frozenset(partitions)):
            self._subscription.pause(still)
        self._committer.resume()
        self._pump()

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Finish what is nearly done and commit. What still runs goes on: most partitions come straight back."""
        leaving = frozenset(partitions)
        running = [task for task, work in self._tasks.items() if work.record.home in leaving]
        if running:
            await asyncio.wait(running, timeout=FLUSH_S)
        try:
            await self._committer.flush()
        except Retryable as exc:
            log.warning("could not commit before the rebalance, some work will be repeated", error=str(exc))

    async def drain(self, seconds: float) -> None:
        """Take nothing new, finish what runs within the time, commit, leave the rest to the next owner."""
        self._draining = True
        if self._subscription:
            self._subscription.pause(self._subscription.assignment())
        for task in self._resting:
            task.cancel()
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

    def _pump(self) -> None:
        while not self._draining and (work := self._schedule.take()):
            task = asyncio.create_task(self._run(work), name=f"{self._service}:{work.record.topic}")
            self._tasks[task] = work
            task.add_done_callback(self._done)
        metrics.IN_FLIGHT.labels(self._service).set(len(self._tasks))

    def _done(self, task: asyncio.Task[None]) -> None:
        work = self._tasks.pop(task)
        self._schedule.release(work)
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)
        home = work.record.home
        if home in self._paused and self._schedule.queued(home) < self._low and self._subscription:
            self._paused.discard(home)
            self._subscription.resume([home])
        self._pump()

    async def _run(self, work: Work) -> None:
        record = work.record
        source = record.headers.get(headers.ORIGIN_TOPIC, record.topic)
        processor = self._processors.get(source)
        if processor is None:
            await self._failures.bury(
                record, stage=self._service, error=Fatal(f"nothing here consumes {source}"), attempts=1
            )
            self._committer.settle(record, Finished())
            return
        delivery = header_int(record.headers, headers.ATTEMPT, 1) if record.topic != source else 1
        while True:
            work.tries += 1
            try:
                processed = await processor.process(record, delivery)
            except Exception as exc:  # noqa: BLE001 - what an error leads to is decided by its class, below
                outcome = await self._consequence(work, processor, exc, delivery)
                if outcome is None:
                    continue
                processed = outcome
            self._committer.settle(record, processed)
            return

    async def _consequence(self, work: Work, processor: Processor, error: Exception, delivery: int) -> Processed | None:
        """Act on an error; None: try again in place."""
        record = work.record
        action = consequence(
            error,
            tries=work.tries,
            delivery=delivery,
            now_ms=self._clock.now_ms(),
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            policy=self._policy,
            ordered=processor.ordered,
        )
        match action:
            case RetryInPlace(delay_ms):
                self._failures.note_retry(processor.stage, error, where="in_place", tries=work.tries)
                await self._clock.sleep(delay_ms / 1000)
                return None
            case RetryLater(not_before_ms):
                await self._failures.retry_later(
                    record, stage=processor.stage, error=error, delivery=delivery, not_before_ms=not_before_ms
                )
                return Finished()
            case Bury():
                attempts = (delivery - 1) * self._policy.tries + work.tries
                await self._failures.bury(record, stage=processor.stage, error=error, attempts=attempts)
                return await self._failures.insist(lambda: processor.buried(record, error))
            case Stop():
                raise error

    def _rest(self, work: Work, seconds: float) -> None:
        async def rest() -> None:
            await self._clock.sleep(seconds)
            self._schedule.put(work)
            self._pump()

        task = asyncio.create_task(rest(), name="rest")
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    def _hand_back(self, gone: Collection[TopicPartition]) -> None:
        if not gone:
            return
        self._schedule.drop(gone)
        for task, work in self._tasks.items():
            if work.record.home in gone:
                task.cancel()
        self._committer.forget(gone)
        self._paused -= frozenset(gone)
        for processor in self._processors.values():
            processor.forget(gone)
        log.info("partitions handed back", partitions=[f"{place.topic}:{place.partition}" for place in gone])

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_result(error)
