"""How the work on a turn ends before its answer does, and what of the model's time was for nothing."""

import asyncio
from dataclasses import replace

import pytest

from headrace.messaging.clock import SystemClock
from headrace.messaging.contract import End, Next, StageContext
from headrace.messaging.errors import Retryable
from headrace.runtime.cancellations import TurnCancellation
from headrace.telemetry.metrics import REGISTRY
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.reviews_pb2 import Label
from tests.fakes.contexts import a_context
from tests.fakes.engines import ScriptedEngine
from tests.fakes.inferring import SPEC, Bench, a_turn, section, text
from tests.fakes.waiting import until


def wasted(cause: str) -> float:
    labels = {"model": SPEC.name, "cause": cause}
    return REGISTRY.get_sample_value("headrace_wasted_generation_seconds_total", labels) or 0.0


def cancellable(cancelling: TurnCancellation) -> StageContext:
    return replace(a_context(), cancellation=cancelling)


async def test_an_answer_that_the_gate_stopped_goes_on_to_be_refused_as_a_whole() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    cancelling = TurnCancellation()
    asking = asyncio.create_task(bench.ask(a_turn(cacheable=True), cancellable(cancelling)))
    await until("the engine to be at work", lambda: bench.engine.requests)
    cancelling.request(1)
    result, deltas = await asking
    assert isinstance(result, Next)
    assert section(result).finish_reason == deltas[-1].finish_reason == "content_filter"
    assert deltas[-1].last
    assert text(deltas) == section(result).text
    assert bench.engine.closed == 1
    assert not bench.cache.answers


async def test_a_stopped_answer_is_the_same_when_it_is_delivered_again() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    cancelling = TurnCancellation()
    asking = asyncio.create_task(bench.ask(a_turn(), cancellable(cancelling)))
    await until("the engine to be at work", lambda: bench.engine.requests)
    cancelling.request(1)
    first, _ = await asking
    again, deltas = await bench.ask(a_turn())
    assert section(again) == section(first)
    assert text(deltas) == section(first).text
    assert len(bench.engine.requests) == 1


async def test_a_stop_of_an_earlier_attempt_does_not_concern_a_later_one() -> None:
    bench = Bench(ScriptedEngine(fails_after=2))
    with pytest.raises(Retryable):
        await bench.ask(a_turn())
    bench.engine.fails_after = None
    cancelling = TurnCancellation()
    cancelling.request(1)
    result, _ = await bench.ask(a_turn(), cancellable(cancelling))
    assert (section(result).attempt, section(result).text) == (2, "Hello, world.")


@pytest.mark.parametrize("labels", [(), ("good", "bad")], ids=["a chat", "a classification"])
async def test_a_turn_whose_deadline_has_passed_never_reaches_the_engine(labels: tuple[str, ...]) -> None:
    bench = Bench()
    turn = a_turn()
    turn.prepared.labels.extend(Label(name=label) for label in labels)
    result, _ = await bench.ask(turn, a_context(deadline_ms=SystemClock().now_ms() - 1))
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.EXPIRED
    assert not bench.engine.requests
    assert not bench.engine.scored


async def test_a_turn_that_was_cancelled_before_its_turn_came_never_reaches_the_engine() -> None:
    bench = Bench()
    cancelling = TurnCancellation()
    cancelling.request()
    result, _ = await bench.ask(a_turn(), cancellable(cancelling))
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.CANCELLED
    assert not bench.engine.requests


async def test_a_deadline_that_passes_while_another_makes_the_answer_ends_the_wait() -> None:
    bench = Bench(ScriptedEngine(pause_after=1))
    maker = asyncio.create_task(bench.ask(a_turn("turn-1", cacheable=True)))
    await until("the maker to be at work", lambda: bench.engine.requests)
    context = a_context(deadline_ms=SystemClock().now_ms() + 50)
    result, _ = await bench.ask(a_turn("turn-2", cacheable=True), context)
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.EXPIRED
    bench.engine.go_on.set()
    await maker
    assert len(bench.engine.requests) == 1


async def test_a_request_that_was_too_late_for_a_slot_ends_its_turn() -> None:
    bench = Bench(ScriptedEngine(too_late=True))
    result, _ = await bench.ask(a_turn())
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.EXPIRED


async def test_the_engine_is_told_the_lane_and_the_deadline() -> None:
    bench = Bench()
    deadline_ms = SystemClock().now_ms() + 60_000
    await bench.ask(a_turn("a"), a_context(deadline_ms=deadline_ms))
    await bench.ask(a_turn("b"), replace(a_context(), lane="batch"))
    assert [(asked.priority, asked.deadline_ms) for asked in bench.engine.requests] == [
        ("interactive", deadline_ms),
        ("batch", 0),
    ]


async def test_a_second_delivery_at_the_same_time_waits_for_the_first_and_has_its_result() -> None:
    """INVARIANT: a turn that is delivered twice is generated once, also when the first is still at it."""
    bench = Bench(ScriptedEngine(pause_after=2))
    first = asyncio.create_task(bench.ask(a_turn()))
    await until("the first to be at work", lambda: bench.engine.requests)
    second = asyncio.create_task(bench.ask(a_turn()))
    bench.engine.go_on.set()
    (one, _), (two, deltas) = await asyncio.gather(first, second)
    assert section(one) == section(two)
    assert text(deltas) == "Hello, world."
    assert len(bench.engine.requests) == 1


async def test_a_turn_that_another_instance_is_at_is_waited_for_and_costs_no_try() -> None:
    bench = Bench()
    bench.ledger.busy_ms = [400, 300]
    result, _ = await bench.ask(a_turn())
    assert section(result).text == "Hello, world."
    assert not bench.ledger.busy_ms


async def test_attempts_rise_when_the_ledger_goes_and_comes() -> None:
    bench = Bench(ScriptedEngine())
    turn = a_turn()
    turn.submitted_at.FromMilliseconds(SystemClock().now_ms() - 5000)
    attempts = []
    for down in (False, True, True, False):
        bench.ledger.down = down
        # What was committed is lost with the ledger's memory, what was published is not.
        bench.ledger.records.clear()
        _, deltas = await bench.ask(turn)
        attempts.append(deltas[0].context.attempt)
    assert attempts == sorted(set(attempts))


async def test_time_that_a_cancelled_answer_took_was_wasted() -> None:
    before = wasted("cancelled")
    bench = Bench(ScriptedEngine(pause_after=2))
    cancelling = TurnCancellation()
    asking = asyncio.create_task(bench.ask(a_turn(), cancellable(cancelling)))
    await until("the engine to be at work", lambda: bench.engine.requests)
    cancelling.request()
    await asking
    assert wasted("cancelled") > before


async def test_time_in_the_queue_is_not_the_models() -> None:
    before = wasted("expired")
    bench = Bench(ScriptedEngine(waits_first=True))
    await bench.ask(a_turn(), a_context(deadline_ms=SystemClock().now_ms() + 50))
    assert wasted("expired") == before


async def test_time_that_a_later_attempt_makes_void_was_wasted() -> None:
    before = wasted("superseded")
    bench = Bench(ScriptedEngine(pause_after=2))
    asking = asyncio.create_task(bench.ask(a_turn()))
    await until("the engine to be at work", lambda: bench.engine.requests)
    await bench.ledger.claim("acme", "turn-1", 1)
    bench.engine.go_on.set()
    with pytest.raises(Retryable):
        await asking
    assert wasted("superseded") > before


async def test_time_before_a_failure_was_wasted() -> None:
    before = wasted("failed")
    with pytest.raises(Retryable):
        await Bench(ScriptedEngine(fails_after=2)).ask(a_turn())
    assert wasted("failed") > before


async def test_work_that_is_handed_back_was_wasted() -> None:
    before = wasted("superseded")
    bench = Bench(ScriptedEngine(pause_after=2))
    asking = asyncio.create_task(bench.ask(a_turn()))
    await until("the engine to be at work", lambda: bench.engine.requests)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert bench.ledger.released == [1]
    assert wasted("superseded") > before


async def test_an_answer_that_arrived_wasted_nothing() -> None:
    causes = ("cancelled", "expired", "policy", "superseded", "failed")
    before = [wasted(cause) for cause in causes]
    await Bench().ask(a_turn())
    assert [wasted(cause) for cause in causes] == before
