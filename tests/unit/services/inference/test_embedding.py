"""Turns that ask for vectors: beside the ledger and the cache, and ended like any other."""

import asyncio
from dataclasses import replace

import pytest

from headrace.messaging.clock import SystemClock
from headrace.messaging.contract import End
from headrace.messaging.errors import Invalid
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.turns_pb2 import Turn
from tests.fakes.contexts import Cancelling, a_context
from tests.fakes.engines import ScriptedEngine
from tests.fakes.inferring import ENCODER, SPEC, Bench, section


def a_turn(*texts: str, model: str = ENCODER.name) -> Turn:
    turn = Turn(turn_id="turn-1", tenant="acme")
    turn.prepared.model = model
    turn.prepared.input.extend(texts)
    return turn


async def test_each_text_has_its_vector_in_the_turn() -> None:
    bench = Bench()
    result, deltas = await bench.ask(a_turn("one", "and two"))
    found = section(result)
    assert [list(each.values) for each in found.embeddings] == [[3.0, 1.0], [7.0, 1.0]]
    assert (found.usage.prompt_tokens, found.attempt, found.engine) == (3, 1, "scripted")
    assert not deltas
    assert not bench.ledger.attempts


async def test_a_model_that_writes_makes_no_vectors() -> None:
    with pytest.raises(Invalid, match="use one of encoder"):
        await Bench().ask(a_turn("one", model=SPEC.name))


async def test_a_cancelled_turn_ends() -> None:
    cancelling = Cancelling()
    bench = Bench(ScriptedEngine(waits_first=True))
    asking = asyncio.create_task(bench.ask(a_turn("one"), replace(a_context(), cancellation=cancelling)))
    await asyncio.sleep(0)
    cancelling.event.set()
    result, _ = await asking
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.CANCELLED


async def test_a_turn_whose_deadline_has_passed_asks_no_model() -> None:
    late = replace(a_context(), deadline_ms=SystemClock().now_ms() - 1)
    result, _ = await Bench(ScriptedEngine(waits_first=True)).ask(a_turn("one"), late)
    assert isinstance(result, End)
    assert result.status == ResponseCompleted.EXPIRED
