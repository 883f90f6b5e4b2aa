"""Exactly once from topic to topic, on the real broker."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaTimeoutError

from headrace.messaging import topics
from headrace.messaging.breaker import BreakerPolicy
from headrace.messaging.contract import Outgoing, StageContext
from headrace.messaging.errors import Fatal, Retryable
from headrace.messaging.kafka import MAX_MESSAGE_BYTES, KafkaTransport
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.retries import RetryPolicy
from headrace.messaging.tail import end_offsets, follow, partitions_of
from headrace.messaging.transactional_producers import KafkaProducers
from headrace.messaging.transactions import Transactions
from headrace.runtime.host import Host
from headrace.runtime.service import EventStage, Service
from headrace.runtime.settings import ServiceSettings
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from tests.fakes.topics import make_topics
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

QUICK = RetryPolicy(tries=2, base_ms=5, ceiling_ms=10, rests_ms=(50,))
EVENTS = 300


class Case:
    """An input topic, an output topic, and a service between them."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.name = f"s{uuid.uuid4().hex[:8]}"
        self.source, self.out = f"in-{self.name}", f"out-{self.name}"
        self.handled: Counter[str] = Counter()

    async def prepare(self) -> None:
        retries = dict.fromkeys(topics.retries_of(self.name, len(QUICK.rests_ms)), 1)
        await make_topics(self.bootstrap, {self.source: 2, self.out: 1, **retries})

    async def produce(self, count: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
            for number in range(count):
                value = FeedbackSubmitted(feedback_id=str(number)).SerializeToString()
                await producer.send(self.source, value, key=str(number % 7).encode())
            await producer.flush()

    @asynccontextmanager
    async def serving(self, handler: Any, instance: str = "a", drain_seconds: float = 2.0) -> AsyncIterator[Host]:
        transport = KafkaTransport(
            self.bootstrap, client_id=self.name, instance=instance, exactly_once=lambda topic: topic != self.out
        )
        stage = EventStage("case", self.source, FeedbackSubmitted, handler)
        settings = ServiceSettings(instance=instance, drain_seconds=drain_seconds)
        service = Service(self.name, settings, (stage,))
        async with Host(service, transport, policy=QUICK, breaker=BreakerPolicy(consecutive=0)) as host:
            yield host

    async def handle(self, message: Any, _context: StageContext) -> Sequence[Outgoing]:
        self.handled[message.feedback_id] += 1
        await asyncio.sleep(0)
        return [Outgoing(self.out, message.feedback_id, message)]

    async def results(self) -> Counter[str]:
        """What a read-committed consumer finds."""
        places = await partitions_of(self.bootstrap, self.out)
        ends = await end_offsets(self.bootstrap, places)
        found: Counter[str] = Counter()
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False
        ) as consumer:
            consumer.assign([KafkaPartition(*place) for place in places])
            await consumer.seek_to_beginning()
            while any([await consumer.position(KafkaPartition(*place)) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found.update(record.key.decode() for record in records)
        return found


@pytest.fixture
async def case(kafka: str) -> Case:
    made = Case(kafka)
    await made.prepare()
    return made


async def test_each_result_is_there_once_though_the_service_fell_over_in_the_middle(case: Case) -> None:
    await case.produce(EVENTS)
    fallen = asyncio.Event()

    async def fall(message: Any, context: StageContext) -> Sequence[Outgoing]:
        if sum(case.handled.values()) >= EVENTS // 2:
            fallen.set()
            await asyncio.Event().wait()
        return await case.handle(message, context)

    # No time to drain: what is finished and not committed is lost with the process.
    async with case.serving(fall, drain_seconds=0.001):
        await asyncio.wait_for(fallen.wait(), 30)
    before = await case.results()
    assert 0 < len(before) < EVENTS
    async with case.serving(case.handle, instance="b"):
        await until("every result", lambda: _all_there(case), 40)
    found = await case.results()
    assert set(found.values()) == {1}


async def test_what_a_failed_try_has_published_is_not_there(case: Case) -> None:
    await case.produce(20)

    async def flaky(message: Any, context: StageContext) -> Sequence[Outgoing]:
        out = await case.handle(message, context)
        await context.publisher.publish(out[0])
        if case.handled[message.feedback_id] == 1:
            raise Retryable("not yet")
        return ()

    async with case.serving(flaky):
        await until("every result", lambda: _all_there(case, 20), 40)
    assert set((await case.results()).values()) == {1}
    assert set(case.handled.values()) == {2}


async def test_a_dead_letter_goes_out_with_the_offset_of_its_record(case: Case) -> None:
    await case.produce(5)

    async def refuse(message: Any, context: StageContext) -> Sequence[Outgoing]:
        if message.feedback_id == "3":
            raise KeyError("a defect")
        return await case.handle(message, context)

    async with case.serving(refuse):
        await until("the other results", lambda: _all_there(case, 4), 40)
    places = await partitions_of(case.bootstrap, topics.DEAD_LETTERS)
    ends = await end_offsets(case.bootstrap, places)
    letters = [
        record
        async for record in follow(case.bootstrap, dict.fromkeys(places, 0), ends)
        if case.source.encode() in (record.value or b"")
    ]
    assert len(letters) == 1


class Taken:
    """An intake that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Received] = []

    def receive(self, record: Received) -> None:
        self.records.append(record)


@asynccontextmanager
async def transactions(case: Case, intake: Taken, certain: Sequence[bool] = (True,)) -> AsyncIterator[Transactions]:
    consumer = AIOKafkaConsumer(bootstrap_servers=case.bootstrap, group_id=case.name, enable_auto_commit=False)
    await consumer.start()
    producers = KafkaProducers(
        consumer, case.bootstrap, group=case.name, client_id="t", max_message_bytes=MAX_MESSAGE_BYTES
    )
    made = Transactions(
        producers, [case.source], intake=intake,  # type: ignore[arg-type]  # no more is asked of it
        holds=lambda _place: certain[0], max_message_bytes=MAX_MESSAGE_BYTES,
    )  # fmt: skip
    try:
        yield made
    finally:
        await made.close()
        await consumer.stop()


async def plainly(offsets: Mapping[TopicPartition, int]) -> None:
    raise AssertionError(f"{offsets} want a transaction")


def record(case: Case, offset: int) -> Received:
    return Received(case.source, 0, offset, 0, b"k", b"")


async def work(case: Case, on: Transactions, taken: Taken, offset: int) -> None:
    on.receive(record(case, offset))
    await until("the record", lambda: any(each.offset == offset for each in taken.records))
    result = Outgoing(case.out, f"r{offset}", FeedbackSubmitted(feedback_id=str(offset)))
    await on.outlet(record(case, offset)).publish(result)


async def test_of_two_who_believe_that_a_partition_is_theirs_each_result_is_committed_once(case: Case) -> None:
    place = TopicPartition(case.source, 0)
    old, new = Taken(), Taken()
    async with transactions(case, old) as paused, transactions(case, new) as owner:
        await work(case, paused, old, 0)
        await work(case, owner, new, 0)
        await owner.commit({place: 1}, plainly)
        # It still believes that the partition is its own, as it would after a pause.
        with pytest.raises((Retryable, Fatal)):
            await paused.commit({place: 1}, plainly)
        await work(case, paused, old, 1)
        await work(case, owner, new, 1)
        await paused.commit({place: 2}, plainly)
        with pytest.raises(Retryable):
            await owner.commit({place: 2}, plainly)
        await owner.commit({place: 2}, plainly)
    assert await case.results() == {"r0": 1, "r1": 1}


async def test_what_comes_to_a_new_owner_and_was_committed_meanwhile_is_not_given_again(case: Case) -> None:
    place = TopicPartition(case.source, 0)
    old, new = Taken(), Taken()
    async with transactions(case, old) as before:
        await work(case, before, old, 0)
        await before.commit({place: 1}, plainly)
        async with transactions(case, new) as after:
            # Fetched from the offset that was committed before the other's last transaction.
            after.receive(record(case, 0))
            after.receive(record(case, 1))
            await until("the second record", lambda: new.records)
            assert [each.offset for each in new.records] == [1]


@pytest.mark.parametrize("more", [False, True], ids=["nothing-since", "more-since"])
@pytest.mark.parametrize("done", [True, False], ids=["was-committed", "was-not"])
async def test_a_transaction_of_unknown_outcome_is_looked_up_and_neither_lost_nor_repeated(
    case: Case, monkeypatch: pytest.MonkeyPatch, *, done: bool, more: bool
) -> None:
    place = TopicPartition(case.source, 0)
    taken = Taken()
    real = AIOKafkaProducer.commit_transaction

    async def unheard(self: AIOKafkaProducer) -> None:
        monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", real)
        if done:
            await real(self)
        raise KafkaTimeoutError("no answer")

    async with transactions(case, taken) as mine:
        await work(case, mine, taken, 0)
        monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", unheard)
        with pytest.raises(Retryable):
            await mine.commit({place: 1}, plainly)
        if not more:
            await mine.commit({place: 1}, plainly)
        await work(case, mine, taken, 1)
        await mine.commit({place: 2}, plainly)
    assert await case.results() == {"r0": 1, "r1": 1}


async def test_while_nobody_knows_whose_a_partition_is_its_commit_is_only_put_off(case: Case) -> None:
    """As after a pause within the session: no rebalance will come that would give it back."""
    place = TopicPartition(case.source, 0)
    taken, certain = Taken(), [True]
    async with transactions(case, taken, certain) as mine:
        await work(case, mine, taken, 0)
        certain[0] = False
        with pytest.raises(Retryable):
            await mine.commit({place: 1}, plainly)
        certain[0] = True
        await mine.commit({place: 1}, plainly)
    assert await case.results() == {"r0": 1}


async def _all_there(case: Case, count: int = EVENTS) -> bool:
    return len(await case.results()) >= count
