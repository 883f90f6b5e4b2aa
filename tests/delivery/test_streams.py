"""Streams hold their offsets until they end, so that a crash in the middle costs nothing but time."""

import asyncio
from typing import Any

import pytest

from headrace.messaging.contract import Folded, Outgoing, StageContext
from headrace.messaging.dispatcher import Dispatcher
from headrace.messaging.errors import Retryable
from headrace.messaging.records import TopicPartition
from headrace.runtime import stream_processor
from headrace.runtime.service import StreamStage
from headrace.v1.responses_pb2 import ResponseDelta
from tests.delivery.conftest import Log, Serve
from tests.fakes.waiting import until


def delta(turn: str, seq: int, text: str) -> bytes:
    return ResponseDelta(turn_id=turn, seq=seq, text=text).SerializeToString()


def echoing(
    topic: str, out: str, seen: list[str], failing: list[Exception] | None = None, slow: asyncio.Event | None = None
) -> StreamStage:
    """Publishes the whole text so far with each delta; a text that ends in "." ends the stream.

    Stream "b" waits for `slow`.
    """

    async def step(state: str | None, message: Any, _context: StageContext) -> Folded[str]:
        if failing:
            raise failing.pop(0)
        seen.append(f"{message.turn_id}{message.seq}")
        if slow and message.turn_id == "b":
            await slow.wait()
        text = (state or "") + message.text
        published = Outgoing(out, key=message.turn_id, message=ResponseDelta(turn_id=message.turn_id, text=text))
        return Folded(text, (published,), ended=text.endswith("."))

    return StreamStage("echo", topic, ResponseDelta, lambda message: message.turn_id, step)


async def texts(log: Log, out: str) -> list[str]:
    return [ResponseDelta.FromString(record.value or b"").text for record in await log.read(out)]


async def test_offsets_of_a_stream_are_committed_when_it_ends(log: Log, serve: Serve, name: str) -> None:
    topic, out, seen = await log.topic(), await log.topic(), list[str]()
    for seq, text in enumerate(("one ", "two ")):
        await log.produce(topic, delta("a", seq, text), key=b"a")
    async with serve(name, echoing(topic, out, seen)):
        await until("two deltas folded", lambda: len(seen) == 2)
        assert await log.committed(name, TopicPartition(topic, 0)) == 0
        await log.produce(topic, delta("a", 2, "three."), key=b"a")
        await until("the end committed", lambda: log.committed(name, TopicPartition(topic, 0)))
    assert await texts(log, out) == ["one ", "one two ", "one two three."]
    assert await log.committed(name, TopicPartition(topic, 0)) == 3


async def test_after_a_crash_the_state_is_rebuilt_from_the_start_of_the_stream(
    log: Log, serve: Serve, name: str
) -> None:
    topic, out, before, after = await log.topic(), await log.topic(), list[str](), list[str]()
    await log.produce(topic, delta("b", 0, "done."), key=b"b")
    for seq, text in enumerate(("one ", "two ")):
        await log.produce(topic, delta("a", seq, text), key=b"a")
    async with serve(name, echoing(topic, out, before)) as running:
        await until("three deltas folded", lambda: len(before) == 3)
        await until("the ended stream committed", lambda: log.committed(name, TopicPartition(topic, 0)))
        await running.crash()
    await log.produce(topic, delta("a", 2, "three."), key=b"a")
    async with serve(name, echoing(topic, out, after)):
        await until("the stream folded again", lambda: len(after) == 3)
    assert after == ["a0", "a1", "a2"]
    assert (await texts(log, out))[-1] == "one two three."


async def test_a_delta_that_fails_is_tried_again_before_those_behind_it(log: Log, serve: Serve, name: str) -> None:
    topic, out, seen = await log.topic(), await log.topic(), list[str]()
    for seq, text in enumerate(("one ", "two ", "three.")):
        await log.produce(topic, delta("a", seq, text), key=b"a")
    failing: list[Exception] = [Retryable("redis timed out")] * 3
    async with serve(name, echoing(topic, out, seen, failing)):
        await until("the end", lambda: len(seen) == 3)
    assert seen == ["a0", "a1", "a2"]
    assert await texts(log, out) == ["one ", "one two ", "one two three."]


async def test_a_stream_whose_next_delta_waits_for_a_slot_is_not_given_up(
    log: Log, serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, out, seen, slow = await log.topic(), await log.topic(), list[str](), asyncio.Event()
    behind, answers = Dispatcher.behind, list[bool]()

    def observed(self: Dispatcher, home: TopicPartition) -> bool:
        answers.append(behind(self, home))
        return answers[-1]

    monkeypatch.setattr(Dispatcher, "behind", observed)
    monkeypatch.setattr(stream_processor, "WITHOUT_DEADLINE_S", 0.2)
    for turn, seq, text in (("a", 0, "one "), ("b", 0, "slow."), ("a", 1, "two.")):
        await log.produce(topic, delta(turn, seq, text), key=turn.encode())
    async with serve(name, echoing(topic, out, seen, slow=slow), concurrency=1):
        await until("three silences", lambda: len(answers) >= 3)
        slow.set()
        await until("the end", lambda: len(seen) == 3)
    assert answers[:3] == [True] * 3
    assert await texts(log, out) == ["one ", "slow.", "one two."]
