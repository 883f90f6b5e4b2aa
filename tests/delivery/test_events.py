"""What is promised of every message, on the log in memory and on Apache Kafka."""

import asyncio
from collections import defaultdict

import pytest

from headrace.messaging.errors import Fatal, Invalid, Retryable
from headrace.messaging.records import TopicPartition
from tests.delivery.conftest import Log, Recorder, Serve, event, letters, stage
from tests.fakes.waiting import until


async def test_what_was_handled_is_committed_and_not_given_again(log: Log, serve: Serve, name: str) -> None:
    topic, first, second = await log.topic(), Recorder(), Recorder()
    for number in range(5):
        await log.produce(topic, event(str(number)), key=b"k")
    async with serve(name, stage(topic, first)):
        await until("five events handled", lambda: len(first.done) == 5)
    assert await log.committed(name, TopicPartition(topic, 0)) == 5
    await log.produce(topic, event("5"), key=b"k")
    async with serve(name, stage(topic, second)):
        await until("the sixth event", lambda: second.done)
    assert first.done == ["0", "1", "2", "3", "4"]
    assert second.done == ["5"]


async def test_a_message_that_was_running_at_the_crash_is_given_again(log: Log, serve: Serve, name: str) -> None:
    topic, before, after = await log.topic(), Recorder(), Recorder()
    gate = asyncio.Event()

    async def hang(event_name: str) -> None:
        if event_name == "slow":
            await gate.wait()

    before.work = hang
    await log.produce(topic, event("slow"), key=b"a")
    for number in range(4):
        await log.produce(topic, event(f"quick{number}"), key=b"b")
    async with serve(name, stage(topic, before)) as running:
        await until("the quick ones done while the slow one runs", lambda: len(before.done) == 4)
        await running.crash()
    assert await log.committed(name, TopicPartition(topic, 0)) == 0, "a commit passed a message that was running"
    async with serve(name, stage(topic, after)):
        await until("the slow one again", lambda: "slow" in after.done)


async def test_what_was_finished_behind_a_message_that_was_running_at_the_crash_is_not_given_again(
    log: Log, serve: Serve, name: str
) -> None:
    topic, before, after = await log.topic(), Recorder(), Recorder()
    place = TopicPartition(topic, 0)

    async def hang(event_name: str) -> None:
        if event_name.startswith("slow"):
            await asyncio.Event().wait()

    before.work = hang
    for event_name in ("slow0", "quick0", "slow1", "quick1", "quick2"):
        await log.produce(topic, event(event_name), key=event_name.encode())

    async def noted() -> bool:
        return await log.note(name, place) == "0:1,3-4;0*1,2*1"

    async with serve(name, stage(topic, before)) as running:
        await until("a note on the quick ones", noted)
        await running.crash()
    await log.produce(topic, event("new"), key=b"new")
    async with serve(name, stage(topic, after)):
        await until("all committed", lambda: committed_is(log, name, place, 6))
    assert sorted(after.done) == ["new", "slow0", "slow1"]
    assert await log.note(name, place) == ""


async def committed_is(log: Log, name: str, place: TopicPartition, offset: int) -> bool:
    return await log.committed(name, place) == offset


async def test_a_slow_key_holds_up_no_other_and_order_holds_within_a_key(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()
    released = asyncio.Event()

    async def work(event_name: str) -> None:
        if event_name == "a0":
            await released.wait()
        await asyncio.sleep(0)

    recorder.work = work
    for number in range(10):
        for key in ("a", "b", "c"):
            await log.produce(topic, event(f"{key}{number}"), key=key.encode())
    async with serve(name, stage(topic, recorder)):
        await until("b and c done while a waits", lambda: len(recorder.done) == 20)
        assert [each for each in recorder.begun if each[0] == "a"] == ["a0"]
        released.set()
        await until("all done", lambda: len(recorder.done) == 30)
    by_key: dict[str, list[str]] = defaultdict(list)
    for each in recorder.done:
        by_key[each[0]].append(each)
    assert by_key == {key: [f"{key}{number}" for number in range(10)] for key in "abc"}


async def test_a_retryable_error_is_tried_again_in_place(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()

    async def flaky(_name: str) -> None:
        if len(recorder.begun) < 3:
            raise Retryable("not yet")

    recorder.work = flaky
    await log.produce(topic, event("flaky"), key=b"k")
    async with serve(name, stage(topic, recorder)):
        await until("the third try", lambda: recorder.done == ["flaky"])
    assert len(recorder.begun) == 3
    assert await letters(log, topic) == []


async def test_an_invalid_message_is_a_dead_letter_at_once_with_all_that_is_needed(
    log: Log, serve: Serve, name: str
) -> None:
    topic, recorder = await log.topic(), Recorder()

    async def refuse(event_name: str) -> None:
        if event_name == "bad":
            raise Invalid("no such rating", field="rating")

    recorder.work = refuse
    await log.produce(topic, event("good"), key=b"k")
    await log.produce(topic, event("bad"), key=b"k", headers=[("tenant", b"acme"), ("odd", b"\xff\xfe")])
    await log.produce(topic, event("after"), key=b"k")
    async with serve(name, stage(topic, recorder)):
        await until("the one behind it", lambda: "after" in recorder.done)
    (letter,) = await letters(log, topic)
    assert (letter.stage, getattr(letter.error, "class"), letter.error.message) == ("case", "Invalid", "no such rating")
    assert (letter.origin.partition, letter.origin.offset, letter.attempts) == (0, 1, 1)
    assert letter.value == event("bad")
    assert {header.key: header.value for header in letter.headers}["odd"] == b"\xff\xfe"
    assert recorder.begun.count("bad") == 1


@pytest.mark.parametrize(
    "value",
    [b"\x0a\xff", b"[1, 2]", b'{"feedbackId": 3', b'{"nobody": 1}', b"\xff\xfe{}", b'"text"'],
    ids=["truncated", "array", "half", "unknown-field", "not-utf8", "bare"],
)
async def test_bytes_that_are_no_message_are_buried_raw_and_stop_nothing(
    log: Log, serve: Serve, name: str, value: bytes
) -> None:
    topic, recorder = await log.topic(), Recorder()
    await log.produce(topic, value, key=b"\xff", headers=[("content-type", b"application/\xff"), ("x", b"\xfe")])
    await log.produce(topic, event("next"), key=b"\xff")
    async with serve(name, stage(topic, recorder)):
        await until("the next one", lambda: recorder.done == ["next"])
        await until("the dead letter", lambda: letters(log, topic))
    (letter,) = await letters(log, topic)
    assert letter.value == value
    assert getattr(letter.error, "class") == "Undecodable"
    assert await log.committed(name, TopicPartition(topic, 0)) == 2


async def test_a_tombstone_reaches_the_handler_with_its_key(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()
    await log.produce(topic, None, key=b"doc")
    async with serve(name, stage(topic, recorder)):
        await until("the tombstone", lambda: recorder.done == ["tombstone:doc"])


async def test_no_more_runs_at_once_than_allowed_and_nothing_is_lost(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()
    running = highest = 0

    async def work(_name: str) -> None:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        running -= 1

    recorder.work = work
    await asyncio.gather(*(log.produce(topic, event(str(n)), key=str(n).encode()) for n in range(60)))
    async with serve(name, stage(topic, recorder), concurrency=3):
        await until("all sixty", lambda: len(recorder.done) == 60)
    assert highest <= 3
    assert sorted(map(int, recorder.done)) == list(range(60))
    assert await log.committed(name, TopicPartition(topic, 0)) == 60


async def test_a_drain_finishes_what_runs_and_commits_it(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()
    started = asyncio.Event()

    async def work(_name: str) -> None:
        started.set()
        await asyncio.sleep(0.2)

    recorder.work = work
    await log.produce(topic, event("last"), key=b"k")
    async with serve(name, stage(topic, recorder)):
        await started.wait()
    assert recorder.done == ["last"]
    assert await log.committed(name, TopicPartition(topic, 0)) == 1


async def test_a_fatal_error_stops_the_service_and_commits_nothing(log: Log, serve: Serve, name: str) -> None:
    topic, recorder = await log.topic(), Recorder()

    async def work(_name: str) -> None:
        raise Fatal("the policy file is gone")

    recorder.work = work
    await log.produce(topic, event("any"), key=b"k")
    async with serve(name, stage(topic, recorder)) as running:
        error = await asyncio.wait_for(running.host.failed, 20)
    assert isinstance(error, Fatal)
    assert await log.committed(name, TopicPartition(topic, 0)) == 0


async def test_a_second_member_takes_its_share_and_nothing_is_lost(log: Log, serve: Serve, name: str) -> None:
    topic = await log.topic(partitions=4)
    first, second = Recorder(), Recorder()

    async def work(_name: str) -> None:
        await asyncio.sleep(0.002)

    first.work = second.work = work

    async def produce(numbers: range) -> None:
        for number in numbers:
            await log.produce(topic, event(str(number)), key=str(number % 16).encode())

    async with serve(name, stage(topic, first), instance="a"):
        await produce(range(40))
        await until("the first at work", lambda: first.done)
        async with serve(name, stage(topic, second), instance="b"):
            await produce(range(40, 200))
            await until("both at work", lambda: second.done and len({*first.done, *second.done}) == 200, 40)
    assert {*first.done, *second.done} == {str(number) for number in range(200)}
