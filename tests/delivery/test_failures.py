"""What becomes of messages that fail, on the log in memory and on Apache Kafka."""

import asyncio
from collections import defaultdict
from dataclasses import replace

import pytest

from headrace.messaging import headers, topics
from headrace.messaging.breaker import BreakerPolicy
from headrace.messaging.clock import SystemClock
from headrace.messaging.errors import Invalid, Retryable
from headrace.messaging.records import TopicPartition
from tests.delivery.conftest import Log, Recorder, Running, Serve, event, letters, stage
from tests.fakes.waiting import until

QUICK_BREAKER = BreakerPolicy(consecutive=5, cooldown_s=0.2, ceiling_s=0.4)


async def test_a_message_rests_on_the_retry_topic_while_others_pass_and_comes_back_counted(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder = await log.topic(), Recorder()
    tried_ms: list[int] = []

    async def flaky(event_name: str) -> None:
        if event_name == "flaky":
            tried_ms.append(SystemClock().now_ms())
            if len(tried_ms) <= 3:
                raise Retryable("not yet")

    recorder.work = flaky
    await log.produce(topic, event("flaky"))
    await log.produce(topic, event("other"))
    async with serve(name, stage(topic, recorder)):
        await until("both", lambda: set(recorder.done) == {"flaky", "other"})
        retried = await log.read(topics.retries(name, "interactive", 1))
        (record,) = retried
        assert record.headers[headers.ORIGIN_TOPIC] == topic
        assert tried_ms[2] < int(record.headers[headers.NOT_BEFORE]) <= tried_ms[3]
    assert recorder.attempts[-1] == 2
    assert await letters(log, topic) == []
    assert await log.committed(name, TopicPartition(record.topic, 0)) == 1


async def test_whoever_is_asked_to_come_back_late_does_not_hold_its_place(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()

    async def busy(_name: str) -> None:
        if len(recorder.begun) == 1:
            raise Retryable("full", retry_after_ms=500)

    recorder.work = busy
    await log.produce(topic, event("one"))
    async with serve(name, stage(topic, recorder)):
        await until("the second delivery", lambda: recorder.done == ["one"])
    assert recorder.attempts == [1, 2]


async def test_what_fails_every_time_ends_as_one_dead_letter_with_all_its_attempts(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder = await log.topic(), Recorder()

    async def never(_name: str) -> None:
        raise Retryable("away")

    recorder.work = never
    await log.produce(topic, event("lost"))
    async with serve(name, stage(topic, recorder)):
        await until("the dead letter", lambda: letters(log, topic), 40)
    (letter,) = await letters(log, topic)
    assert letter.attempts == len(recorder.begun) == 6
    assert (letter.origin.topic, letter.origin.offset) == (topic, 0)


async def test_what_rests_and_then_dies_is_buried_as_it_came(log: Log, serve: Serve, name: str) -> None:
    """A header that is no text, two of one name, an empty one: the letter has them all."""
    topic, recorder = await log.topic(), Recorder()

    async def never(_name: str) -> None:
        raise Retryable("away")

    recorder.work = never
    came = [("colour", b"\xfe"), ("colour", b"blue"), ("nothing", b""), ("tenant", b"a\xff")]
    await log.produce(topic, event("lost"), headers=came)
    async with serve(name, stage(topic, recorder)):
        await until("the dead letter", lambda: letters(log, topic), 40)
        (rested,) = await log.read(topics.retries(name, "interactive", 1))
    (letter,) = await letters(log, topic)
    assert (rested.key, rested.value, letter.keyless, letter.value) == (None, event("lost"), True, event("lost"))
    ours = headers.OF_EARLIER_TRIES | {headers.MESSAGE_ID, headers.TRACEPARENT}
    for held in (rested.raw_headers, [(each.key, each.value) for each in letter.headers]):
        assert [each for each in held if each[0] not in ours] == came
    assert len(set(recorder.ids)) == 1


async def test_a_client_cannot_send_a_message_to_rest_nor_name_where_it_came_from(
    log: Log, serve: Serve, name: str
) -> None:
    """INVARIANT: a partition that a header could close for a year would be anybody's to close."""
    topic, recorder = await log.topic(), Recorder()
    forged = [(headers.NOT_BEFORE, b"99999999999999"), (headers.ORIGIN_TOPIC, b"elsewhere"), (headers.ATTEMPT, b"99")]
    await log.produce(topic, event("forged"), key=b"k", headers=forged)
    async with serve(name, stage(topic, recorder)):
        await until("the message", lambda: recorder.done == ["forged"])
    assert recorder.attempts == [1]


@pytest.mark.parametrize("moment", [b"99999999999999", b"9" * 18, b"9" * 400, b"-1", b"soon"])
async def test_a_moment_further_than_anything_rests_is_not_waited_for(
    log: Log, serve: Serve, name: str, moment: bytes
) -> None:
    """INVARIANT: no header holds a partition's offset for an hour, and for another after each start."""
    topic, recorder = await log.topic(), Recorder()
    await log.prepare(name)
    rested = topics.retries(name, "interactive", 1)
    told = [(headers.ORIGIN_TOPIC, topic.encode()), (headers.ATTEMPT, b"2"), (headers.NOT_BEFORE, moment)]
    await log.produce(rested, event("rested"), headers=told)
    async with serve(name, stage(topic, recorder)):
        await until("the message", lambda: recorder.done == ["rested"])
    assert recorder.attempts == [2]
    assert await log.committed(name, TopicPartition(rested, 0)) == 1


@pytest.mark.parametrize("count", [b"999999999", b"9999999999999999", b"-7", b"\xff"])
async def test_a_count_that_no_number_holds_ends_no_service(log: Log, serve: Serve, name: str, count: bytes) -> None:
    """INVARIANT: a dead letter can be written for every record, or the service falls over it at each start."""
    topic, recorder = await log.topic(), Recorder()
    await log.prepare(name)
    rested = topics.retries(name, "interactive", 1)
    told = [(headers.ORIGIN_TOPIC, topic.encode()), (headers.ATTEMPT, count), (headers.NOT_BEFORE, b"1")]
    await log.produce(rested, b"\xff\xff", headers=told)
    await log.produce(topic, event("next"))
    async with serve(name, stage(topic, recorder)):
        await until("the dead letter", lambda: letters(log, topic))
        await until("the next", lambda: recorder.done == ["next"])
    assert await log.committed(name, TopicPartition(rested, 0)) == 1


async def test_a_flood_of_failures_gives_up_no_more_than_a_few_and_all_is_done_once_it_ends(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder = await log.topic(), Recorder()
    broken = asyncio.Event()
    broken.set()

    async def work(_name: str) -> None:
        if broken.is_set():
            raise KeyError("a defect of this build")

    recorder.work = work
    for number in range(60):
        await log.produce(topic, event(f"{'abcdef'[number % 6]}{number:02}"), key="abcdef"[number % 6].encode())
    async with serve(name, stage(topic, recorder), breaker=QUICK_BREAKER) as running:
        await until("the breaker", lambda: _red(running))
        with pytest.raises(Retryable, match="breaker of stage case is open after a flood of KeyError"):
            await running.host.working()
        broken.clear()

        async def settled() -> bool:
            return len(recorder.done) + len(await letters(log, topic)) == 60

        await until("each done or given up", settled)
        await running.host.working()
    assert len(await letters(log, topic)) < QUICK_BREAKER.consecutive
    by_key: dict[str, list[str]] = defaultdict(list)
    for each in recorder.done:
        by_key[each[0]].append(each)
    assert all(done == sorted(done) for done in by_key.values()), "order within a key was lost"
    assert await log.committed(name, TopicPartition(topic, 0)) == 60


async def test_a_service_that_was_stopped_by_a_flood_leaves_its_messages_to_the_next(
    log: Log, serve: Serve, name: str
) -> None:
    topic, bad, good = await log.topic(), Recorder(), Recorder()

    async def fail(_name: str) -> None:
        raise KeyError("a defect of this build")

    bad.work = fail
    for number in range(30):
        await log.produce(topic, event(f"{number:02}"), key=str(number).encode())
    async with serve(name, stage(topic, bad), breaker=QUICK_BREAKER) as running:
        await until("the breaker", lambda: _red(running))
    given_up = len(await letters(log, topic))
    async with serve(name, stage(topic, good)):
        await until("the rest", lambda: len(set(good.done)) >= 30 - given_up)


async def test_a_partition_of_which_nothing_waited_but_what_was_tried_goes_on_as_well(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder, broken = await log.topic(), Recorder(), asyncio.Event()

    async def work(_name: str) -> None:
        if broken.is_set():
            raise KeyError("a defect of this build")

    broken.set()
    recorder.work = work
    await log.produce(topic, event("tried"))
    async with serve(name, stage(topic, recorder), breaker=replace(QUICK_BREAKER, consecutive=1)) as running:
        await until("the breaker", lambda: _red(running))
        broken.clear()
        await until("the one that was tried", lambda: recorder.done == ["tried"])
        await log.produce(topic, event("next"))
        await until("the next one", lambda: recorder.done == ["tried", "next"])
    assert await log.committed(name, TopicPartition(topic, 0)) == 2


async def test_what_an_open_breaker_tries_does_not_overtake_what_runs_of_its_key(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder, slow, broken = await log.topic(), Recorder(), asyncio.Event(), asyncio.Event()

    async def work(event_name: str) -> None:
        if event_name == "first":
            await slow.wait()
        elif broken.is_set():
            raise KeyError("a defect of this build")

    broken.set()
    recorder.work = work
    for each, key in (("first", b"k"), ("second", b"k"), ("flood", b"other")):
        await log.produce(topic, event(each), key=key)
    async with serve(name, stage(topic, recorder), breaker=replace(QUICK_BREAKER, consecutive=1)) as running:
        await until("the breaker", lambda: _red(running))
        tries = len(recorder.begun)
        await until("a few tries", lambda: len(recorder.begun) >= tries + 4)
        assert "second" not in recorder.begun
        broken.clear()
        slow.set()
        await until("all three", lambda: len(recorder.done) == 3)
    assert recorder.done.index("first") < recorder.done.index("second")


async def test_what_clients_send_wrongly_opens_no_breaker(log: Log, serve: Serve, name: str) -> None:
    """INVARIANT: nobody may stop a service from outside."""
    topic, recorder = await log.topic(), Recorder()

    async def refuse(event_name: str) -> None:
        if event_name != "good":
            raise Invalid("no such rating")

    recorder.work = refuse
    for number in range(30):
        await log.produce(topic, event(f"bad{number}"), key=b"k")
    await log.produce(topic, event("good"), key=b"k")
    async with serve(name, stage(topic, recorder), breaker=QUICK_BREAKER) as running:
        await until("the good one behind them", lambda: recorder.done == ["good"])
        await running.host.working()
    assert len(await letters(log, topic)) == 30


async def _red(running: Running) -> bool:
    try:
        await running.host.working()
    except Retryable:
        return True
    return False
