"""When a stream that does not end is given up, so that it does not hold its partition's offsets for ever."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from headrace.messaging import headers
from headrace.messaging.contract import Folded, StageContext
from headrace.messaging.processing import Finished, Held, Processed, Released
from headrace.messaging.records import Received, TopicPartition
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.context import Surroundings
from headrace.runtime.service import StreamStage
from headrace.runtime.stream_processor import GRACE_MS, WITHOUT_DEADLINE_S, StreamProcessor
from headrace.v1.responses_pb2 import ResponseDelta
from tests.chaos.sim.chance import chance
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.run import SimClock
from tests.fakes.contexts import Published


class Streams:
    """One stage that takes `step_s` for a message, on a clock of its own; a text that ends in "." ends the stream."""

    def __init__(self) -> None:
        self.loop = VirtualLoop(chance(1, "order"))
        self.clock = SimClock(self.loop)
        self.step_s = 0.0
        self.released: list[float] = []
        stage = StreamStage("echo", "t", ResponseDelta, lambda message: message.turn_id, self._step)
        around = Surroundings("test", lambda _record: Published(), self.clock, Cancellations())
        self.processor = StreamProcessor(stage, around)
        self.processor.release = lambda _record, _stream: self.released.append(self.loop.time())

    async def say(self, offset: int, text: str, deadline_ms: int = 0) -> Processed:
        said = {headers.DEADLINE: str(deadline_ms)} if deadline_ms else {}
        value = ResponseDelta(turn_id="a", seq=offset, text=text).SerializeToString()
        record = Received("t", 0, offset, self.clock.now_ms(), b"a", value, headers=said)
        return await self.processor.process(record, 1)

    def run(self, case: Coroutine[Any, Any, None]) -> None:
        try:
            self.loop.run_until_complete(case)
        finally:
            self.loop.dismantle()

    async def _step(self, state: str | None, message: ResponseDelta, _context: StageContext) -> Folded[str]:
        await asyncio.sleep(self.step_s)
        return Folded((state or "") + message.text, ended=message.text.endswith("."))


def test_a_stream_without_a_deadline_is_given_up_after_a_silence_and_not_before() -> None:
    streams = Streams()

    async def case() -> None:
        for offset in range(5):
            await streams.say(offset, "word ")
            await asyncio.sleep(WITHOUT_DEADLINE_S - 1)
        assert not streams.released
        await asyncio.sleep(2)

    streams.run(case())
    assert streams.released == [pytest.approx(5 * WITHOUT_DEADLINE_S - 4)]


def test_no_silence_counts_while_more_of_the_partition_waits_to_be_worked_on() -> None:
    streams = Streams()
    asked: list[TopicPartition] = []

    def behind(home: TopicPartition) -> bool:
        asked.append(home)
        return len(asked) < 3

    streams.processor.behind = behind

    async def case() -> None:
        await streams.say(0, "word ")
        await asyncio.sleep(3 * WITHOUT_DEADLINE_S + 1)

    streams.run(case())
    assert asked == [TopicPartition("t", 0)] * 3
    assert streams.released == [pytest.approx(3 * WITHOUT_DEADLINE_S)]


def test_a_stream_with_a_deadline_is_given_up_whatever_waits() -> None:
    streams = Streams()
    streams.processor.behind = lambda _home: True

    async def case() -> None:
        await streams.say(0, "word ", streams.clock.now_ms() + 10_000)
        await asyncio.sleep(11 + GRACE_MS / 1000)

    streams.run(case())
    assert streams.released == [pytest.approx(10 + GRACE_MS / 1000)]


def test_a_stream_with_a_deadline_is_given_up_a_while_after_it_however_much_comes() -> None:
    streams = Streams()

    async def case() -> None:
        deadline_ms = streams.clock.now_ms() + 10_000
        for offset in range(int(10 + GRACE_MS / 1000)):
            await streams.say(offset, "word ", deadline_ms)
            assert not streams.released
            await asyncio.sleep(1)
        await asyncio.sleep(0.01)

    streams.run(case())
    assert streams.released == [pytest.approx(10 + GRACE_MS / 1000, abs=0.01)]


@pytest.mark.parametrize("last", ["word ", "word."])
def test_no_stream_is_given_up_while_a_message_of_it_is_at_work(last: str) -> None:
    streams = Streams()

    async def case() -> None:
        deadline_ms = streams.clock.now_ms() + 10_000
        await streams.say(0, "word ", deadline_ms)
        streams.step_s = GRACE_MS / 1000 + 20
        processed = await streams.say(1, last, deadline_ms)
        assert not streams.released
        assert isinstance(processed, Released if last.endswith(".") else Held)
        await asyncio.sleep(0.001)

    streams.run(case())
    # One that has ended needs no release.
    assert bool(streams.released) is not last.endswith(".")


def test_what_was_at_work_while_its_stream_ended_is_held_for_nobody() -> None:
    """INVARIANT: an offset is held only as long as something is there that will release it."""
    streams = Streams()

    async def case() -> None:
        streams.step_s = 1.0
        slow = asyncio.create_task(streams.say(0, "Hello"))
        await asyncio.sleep(0.5)
        streams.step_s = 0.1
        assert await streams.say(1, ".") == Released("a")
        assert await slow == Finished()
        # And the next one of that name is a stream of its own.
        assert await streams.say(2, "Again") == Held("a")

    streams.run(case())


def test_two_ends_at_a_time_end_a_stream_once() -> None:
    streams = Streams()

    async def case() -> None:
        streams.step_s = 1.0
        first, second = await asyncio.gather(streams.say(0, "."), streams.say(1, "."))
        assert {first, second} == {Released("a"), Finished()}

    streams.run(case())
