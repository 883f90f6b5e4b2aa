"""The consumer alone, attacked as other consumers have been: two workers with slow work, one killed every 2.5 s.

The figures of the others (`OTHERS`) were measured with the same load on the same kind of machine.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from confluent_kafka import Producer

from headrace.messaging import headers, topics
from headrace.messaging.admin import TopicSpec
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from tests.chaos.attack import Progress, Report, Size
from tests.chaos.consumer import slow_work
from tests.chaos.consumer.judging import Judgement, judge
from tests.chaos.consumer.reading import Reader
from tests.chaos.consumer.slow_work import CONCURRENCY, DONE, NAME, WORK, fails_first
from tests.chaos.path.draining import Backlog
from tests.chaos.path.killing import Killing
from tests.chaos.path.merging import merged
from tests.chaos.path.reading import records
from tests.chaos.path.stack import Layout, ServicePath, running_path
from tests.fakes.waiting import until

MESSAGES: Final = {"ci": 3_000, "full": 30_000}
KEYS: Final = 60
PARTITIONS: Final = 8
# One in so many is no message at all.
POISON_EVERY: Final = 300
KILL_EVERY_S: Final = 2.5
# The fewest put out twice: raw aiokafka 24, FastStream with ACK 26, faststream-concurrent-aiokafka 19. And how
# long FastStream with eight at work took to stop.
OTHERS_AGAIN: Final = 19
OTHERS_STOP_S: Final = 15.6
_PATIENCE_S: Final = 60.0
_MODES: Final = ("at_least_once", "exactly_once")
_MOST_QUEUED: Final = 10_000


class ConsumerAlone:
    """Row 11."""

    number = 11
    title = "the consumer alone: two workers with slow work, one of them killed every 2.5 s"
    must_hold = (
        "0 lost, 0 out of order, each message that is none a dead letter; twice in the output: fewer than "
        f"{OTHERS_AGAIN} of 3,000, with exactly_once 0"
    )

    def units(self, size: Size) -> Sequence[str]:
        del size
        return _MODES

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(unit, MESSAGES[size], seed, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(mode: str, messages: int, seed: int, progress: Progress) -> Report:
    """All messages at once, kills until they are worked off, then the judgement, and a stop in the middle of work."""
    poison = messages // POISON_EVERY
    began = monotonic()
    async with running_path(_layout(mode)) as path, _reading(path.bootstrap) as reader:
        sent = await asyncio.to_thread(_send, path.bootstrap, messages, poison)
        killing = Killing(path.services, seed=seed, every_s=KILL_EVERY_S)
        dying = asyncio.create_task(killing.run(1_000_000))
        moved, before = monotonic(), 0
        while (seen := len({(each.key, each.number) for each in reader.seen})) < messages:
            progress(seen, messages, f"{mode}: {killing.total} kills")
            if seen > before:
                moved, before = monotonic(), seen
            if monotonic() - moved > _PATIENCE_S:
                break
            await asyncio.sleep(1)
        dying.cancel()
        await asyncio.gather(*(service.until_ready() for service in path.services))
        stuck = await Backlog(path.bootstrap, [f"headrace.{NAME}"]).empty(patience_s=_PATIENCE_S)
        judgement = judge(sent, reader.seen)
        letters = await asyncio.to_thread(lambda: sum(1 for _ in records(path.bootstrap, topics.DEAD_LETTERS)))
        stop_s = await _stop_at_work(path, reader)
        found = [*stuck, *_violations(mode, messages, judgement), *path.unasked()]
        if letters != poison:
            found.append(f"{letters} dead letters for {poison} messages that are none")
        logs = path.save_logs() if found else ""
    words = mode.replace("_", " ")
    figures: dict[str, float | int | str] = {
        f"{words}: kills": killing.total,
        f"{words}: lost": judgement.lost,
        f"{words}: twice in the output": judgement.again,
        f"{words}: out of order": judgement.out_of_order,
        f"{words}: failures that passed": sum(fails_first(f"k.{n}") for count in sent.values() for n in range(count)),
        f"{words}: dead letters": letters,
        f"longest silence of the output, {words}, s": round(judgement.longest_silence_s, 1),
        f"longest stop with {CONCURRENCY} at work, {words}, s (others {OTHERS_STOP_S})": round(stop_s, 2),
        "seconds in all": round(monotonic() - began, 1),
        **({"logs": logs} if logs else {}),
    }
    done = f"{mode}: {messages:,} messages, {killing.total} kills (seed {seed})"
    return Report(done, figures, tuple(f"{mode}: {violation} [seed {seed}]" for violation in found))


def _violations(mode: str, messages: int, judgement: Judgement) -> list[str]:
    allowed = 0 if mode == "exactly_once" else (OTHERS_AGAIN - 1) * messages // MESSAGES["ci"]
    found = []
    if judgement.lost:
        found.append(f"{judgement.lost} messages are lost")
    if judgement.out_of_order:
        found.append(f"{judgement.out_of_order} messages came before an earlier one of their key")
    if judgement.again > allowed:
        found.append(f"{judgement.again} messages are twice in the output, more than {allowed}")
    return found


def _layout(mode: str) -> Layout:
    waiting = topics.retries_of(NAME, topics.RETRY_TIERS)
    return Layout(
        services={NAME: 2},
        modules={NAME: slow_work.__name__},
        topics={name: TopicSpec(PARTITIONS, 1, {}) for name in (WORK, DONE, *waiting)},
        environment={slow_work.EXACTLY_ONCE: "1"} if mode == "exactly_once" else {},
    )


def _send(bootstrap: str, messages: int, poison: int) -> Mapping[str, int]:
    """How many of each key there are now."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "log_level": 0})
    numbers: Counter[str] = Counter()
    every = messages // poison
    for place in range(messages):
        key = f"k{place % KEYS}"
        message = FeedbackSubmitted(feedback_id=f"{key}.{numbers[key]}")
        numbers[key] += 1
        _put(producer, key, message.SerializeToString(), "application/x-protobuf")
        if place % every == every // 2:
            _put(producer, key, b'{"feedback_id": ', "application/json")
    left = producer.flush(60)
    assert not left, f"{left} messages were not taken by the broker"
    return numbers


def _put(producer: Producer, key: str, value: bytes, kind: str) -> None:
    producer.produce(WORK, key=key.encode(), value=value, headers={headers.CONTENT_TYPE: kind.encode()})
    while len(producer) > _MOST_QUEUED:
        producer.poll(0.1)


async def _stop_at_work(path: ServicePath, reader: Reader) -> float:
    """How long the slower of the two takes to stop while all its hands are full."""
    before = len(reader.seen)
    await asyncio.to_thread(_send, path.bootstrap, 600, 1)
    await until("work to go on", lambda: len(reader.seen) >= before + 4 * CONCURRENCY)
    endings = await asyncio.gather(*(service.restart() for service in path.services))
    return max(ending.seconds for ending in endings)


@asynccontextmanager
async def _reading(bootstrap: str) -> AsyncIterator[Reader]:
    reader = Reader(bootstrap)
    running = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        reader.stop()
        await running


ATTACK: Final = ConsumerAlone()
