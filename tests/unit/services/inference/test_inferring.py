import asyncio
from dataclasses import replace

import pytest

from headrace.messaging.clock import SystemClock
from headrace.messaging.contract import End, Next
from headrace.messaging.errors import Invalid, Retryable
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.reviews_pb2 import Label
from services.inference.domain.token_log import Likely, TokenLogprob
from services.inference.ports import Record
from tests.fakes.contexts import Cancelling, a_context
from tests.fakes.engines import ScriptedEngine
from tests.fakes.inferring import Bench, a_turn, section, text
from tests.fakes.waiting import until


async def test_an_answer_streams_and_its_section_is_the_stream() -> None:
    result, deltas = await Bench().ask(a_turn())
    assert isinstance(result, Next)
    assert text(deltas) == section(result).text == "Hello, world."
    assert section(result).usage.completion_tokens == 4
    assert [delta.last for delta in deltas] == [False] * (len(deltas) - 1) + [True]
    assert deltas[-1].finish_reason == section(result).finish_reason == "stop"


async def test_probabilities_are_kept_with_the_answer_and_told_again_with_it() -> None:
    tokens = [TokenLogprob(Likely(word.encode(), -0.5), (Likely(b"Hi", -1.0),)) for word in ScriptedEngine.words]
    bench = Bench(ScriptedEngine(probable=tokens))
    turn = a_turn(cacheable=True)
    turn.prepared.sampling.logprobs = 1
    first, _ = await bench.ask(turn)
    assert bench.engine.requests[0].sampling.logprobs == 1
    assert [token.token for token in section(first).logprobs] == list(ScriptedEngine.words)
    assert [token.top[0].logprob for token in section(first).logprobs] == [-1.0] * len(tokens)
    turn.turn_id = "turn-2"
    second, _ = await bench.ask(turn)
    assert section(second).usage.cached
    assert list(section(second).logprobs) == list(section(first).logprobs)
    third, _ = await bench.ask(a_turn("turn-3", cacheable=True))
    assert not section(third).usage.cached
    assert not section(third).logprobs


async def test_every_delta_carries_what_the_gate_needs_of_its_turn() -> None:
    _, deltas = await Bench().ask(a_turn())
    for delta in deltas:
        assert (delta.context.turn_id, delta.context.tenant, delta.context.subject) == ("turn-1", "acme", "ann")
        assert (delta.context.pipeline, delta.context.attempt) == ("chat", 1)
        assert list(delta.context.markers) == ["[1]"]
        assert delta.context.masked


async def test_what_safety_masked_is_what_the_model_reads() -> None:
    bench = Bench()
    turn = a_turn(question="my address is x")
    turn.safety.messages.add(role="user", content="my address is [EMAIL_1]")
    await bench.ask(turn)
    assert "[EMAIL_1]" in str(bench.engine.requests[0].prompt)


async def test_a_committed_result_is_never_generated_again() -> None:
    """INVARIANT: a redelivery costs no GPU, and says the same words under the same attempt."""
    bench = Bench()
    first, _ = await bench.ask(a_turn())
    second, deltas = await bench.ask(a_turn())
    assert len(bench.engine.requests) == 1
    assert section(second) == section(first)
    assert text(deltas) == "Hello, world."
    assert {delta.context.attempt for delta in deltas} == {1}
    assert deltas[-1].last


async def test_a_try_that_failed_is_followed_by_a_higher_attempt() -> None:
    bench = Bench(ScriptedEngine(fails_after=2))
    with pytest.raises(Retryable):
        await bench.ask(a_turn())
    assert bench.ledger.released == [1]
    bench.engine.fails_after = None
    result, deltas = await bench.ask(a_turn())
    assert section(result).attempt == 2
    assert {delta.context.attempt for delta in deltas} == {2}
    assert text(deltas) == "Hello, world."


async def test_a_cache_hit_streams_like_a_miss_and_says_so() -> None:
    bench = Bench()
    await bench.ask(a_turn("turn-1", cacheable=True))
    result, deltas = await bench.ask(a_turn("turn-2", cacheable=True))
    assert len(bench.engine.requests) == 1
    assert section(result).usage.cached
    assert text(deltas) == "Hello, world."
    assert deltas[-1].last


async def test_an_answer_that_may_not_be_kept_is_made_each_time() -> None:
    bench = Bench()
    await bench.ask(a_turn("turn-1"))
    await bench.ask(a_turn("turn-2"))
    assert len(bench.engine.requests) == 2
    assert not bench.cache.answers


async def test_a_stampede_on_one_question_generates_once() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    asking = [asyncio.create_task(bench.ask(a_turn(f"turn-{n}", cacheable=True))) for n in range(5)]
    await until("the first to generate", lambda: bench.engine.requests)
    bench.engine.go_on.set()
    results = await asyncio.gather(*asking)
    assert len(bench.engine.requests) == 1
    assert sorted(section(result).usage.cached for result, _ in results) == [False, True, True, True, True]
    assert {text(deltas) for _, deltas in results} == {"Hello, world."}


async def test_whoever_waited_for_an_answer_that_failed_makes_it() -> None:
    bench = Bench(ScriptedEngine(pause_after=1, fails_after=None))
    first = asyncio.create_task(bench.ask(a_turn("turn-1", cacheable=True)))
    await until("the first to generate", lambda: bench.engine.requests)
    second = asyncio.create_task(bench.ask(a_turn("turn-2", cacheable=True)))
    first.cancel()
    bench.engine.go_on.set()
    result, _ = await second
    assert not section(result).usage.cached
    assert len(bench.engine.requests) == 2


@pytest.mark.parametrize("cacheable", [True, False])
async def test_without_redis_an_answer_is_an_answer(cacheable: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    bench = Bench()
    bench.ledger.down = bench.cache.down = True
    result, deltas = await bench.ask(a_turn(cacheable=cacheable))
    assert section(result).text == text(deltas) == "Hello, world."


async def test_without_a_ledger_a_later_delivery_has_the_higher_attempt() -> None:
    bench = Bench()
    bench.ledger.down = True
    early, late = a_turn(), a_turn()
    now_ms = SystemClock().now_ms()
    early.submitted_at.FromMilliseconds(now_ms)
    late.submitted_at.FromMilliseconds(now_ms - 5000)
    first, _ = await bench.ask(early)
    # A quarter of what is left is spent on asking the ledger again.
    before = bench.ledger.hiccups
    second, _ = await bench.ask(late, replace(a_context(), deadline_ms=SystemClock().now_ms() + 4000))
    assert before - bench.ledger.hiccups >= 3
    assert section(second).attempt > section(first).attempt


@pytest.mark.parametrize("lane", ["interactive", "batch"])
async def test_a_ledger_that_is_slow_for_a_moment_is_asked_again_about_what_may_be_done(lane: str) -> None:
    """A process that was killed is redelivered what it has answered; its successor's first calls may well time out."""
    bench = Bench()
    turn = a_turn()
    turn.submitted_at.FromMilliseconds(SystemClock().now_ms() - 5000)
    first, _ = await bench.ask(turn, replace(a_context(), lane=lane))
    bench.ledger.hiccups = 2
    second, _ = await bench.ask(turn, replace(a_context(), lane=lane))
    assert section(second) == section(first)
    assert len(bench.engine.requests) == 1


async def test_a_turn_that_nobody_can_have_answered_does_not_wait_for_the_ledger() -> None:
    bench = Bench()
    bench.ledger.hiccups = 1
    turn = a_turn()
    # Ahead, so that no machine is slow enough for it to be old.
    turn.submitted_at.FromMilliseconds(SystemClock().now_ms() + 60_000)
    first, _ = await bench.ask(turn)
    assert bench.ledger.hiccups == 0
    # Back by the time of the result, the ledger is told of it all the same.
    second, _ = await bench.ask(turn)
    assert section(second) == section(first)
    assert len(bench.engine.requests) == 1


async def test_a_result_made_without_the_ledger_gives_way_to_one_that_is_final() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    bench.ledger.down = True
    asking = asyncio.create_task(bench.ask(a_turn()))
    await until("the engine to be at work", lambda: bench.engine.requests)
    bench.ledger.down = False
    final = Record(b"of another process", 0)
    assert await bench.ledger.commit("acme", "turn-1", 2**31 - 1, final)
    bench.engine.go_on.set()
    with pytest.raises(Retryable):
        await asking


async def test_a_result_is_entered_though_the_ledger_missed_it_once() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    asking = asyncio.create_task(bench.ask(a_turn()))
    await until("the engine to be at work", lambda: bench.engine.requests)
    bench.ledger.hiccups = 1
    bench.engine.go_on.set()
    await asking
    assert bench.ledger.records


async def test_cancelling_in_mid_answer_ends_the_turn_with_what_there_was() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    cancelling = Cancelling()
    asking = asyncio.create_task(bench.ask(a_turn(cacheable=True), replace(a_context(), cancellation=cancelling)))
    await until("the engine to be at work", lambda: bench.engine.requests)
    cancelling.event.set()
    result, deltas = await asking
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.CANCELLED
    assert section(result).finish_reason == deltas[-1].finish_reason == "cancelled"
    assert deltas[-1].last
    assert text(deltas) == section(result).text
    assert "Hello, world.".startswith(section(result).text)
    assert bench.engine.closed == 1
    assert not bench.cache.answers


async def test_a_deadline_that_passes_in_mid_answer_ends_the_turn() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    context = replace(a_context(), deadline_ms=SystemClock().now_ms() + 50)
    result, deltas = await bench.ask(a_turn(), context)
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.EXPIRED
    assert result.error is not None
    assert result.error.field == "deadline"
    assert deltas[-1].last
    assert bench.engine.closed == 1


async def test_a_turn_that_ended_early_ends_the_same_way_when_it_is_delivered_again() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    context = replace(a_context(), deadline_ms=SystemClock().now_ms() + 50)
    first, _ = await bench.ask(a_turn(), context)
    again, deltas = await bench.ask(a_turn())
    assert isinstance(first, End)
    assert isinstance(again, End)
    assert again.status == first.status
    assert deltas[-1].last
    assert len(bench.engine.requests) == 1


async def test_a_turn_that_another_attempt_took_over_is_left_to_it() -> None:
    bench = Bench(ScriptedEngine(pause_after=2))
    asking = asyncio.create_task(bench.ask(a_turn()))
    await until("the engine to be at work", lambda: bench.engine.requests)
    await bench.ledger.claim("acme", "turn-1", 1)
    bench.engine.go_on.set()
    with pytest.raises(Retryable):
        await asking
    assert not bench.ledger.records


async def test_a_classification_has_scores_and_no_stream() -> None:
    bench = Bench()
    turn = a_turn()
    turn.prepared.labels.extend([Label(name="positive"), Label(name="negative")])
    result, deltas = await bench.ask(turn)
    assert [score.label for score in section(result).scores] == ["positive", "negative"]
    assert sum(score.score for score in section(result).scores) == pytest.approx(1)
    assert not deltas


async def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    turn = a_turn()
    turn.prepared.model = "gpt-9000"
    with pytest.raises(Invalid, match="scripted") as caught:
        await Bench().ask(turn)
    assert (caught.value.code, caught.value.field) == ("unknown_model", "model")


async def test_sampling_is_what_the_turn_says_within_what_the_model_gives() -> None:
    bench = Bench()
    turn = a_turn()
    turn.prepared.sampling.temperature = 0.5
    turn.prepared.sampling.seed = 3
    turn.prepared.sampling.max_tokens = 9999
    turn.prepared.sampling.stop.append("###")
    await bench.ask(turn)
    sampling = bench.engine.requests[0].sampling
    assert (sampling.temperature, sampling.seed, sampling.max_tokens, sampling.stop) == (0.5, 3, 50, ("###",))
