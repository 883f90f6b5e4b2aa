"""Answers in the form that was asked for."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from headrace.messaging.errors import Invalid
from headrace.v1.turns_pb2 import Turn
from services.inference.domain.constraint import AnyJson, Choice, JsonSchema
from services.inference.ports import Chat, Chunk, GenerationRequest
from tests.fakes.engines import ScriptedEngine
from tests.fakes.inferring import Bench, a_turn, section, text

EVEN = {"type": "integer", "multipleOf": 2}
NAMED = {"type": "object", "properties": {"name": {"type": "string"}}}


class Answering(ScriptedEngine):
    """Gives one whole answer after the other."""

    def __init__(self, *answers: str, finish: Any = "stop") -> None:
        super().__init__()
        self.answers = list(answers)
        self.finish = finish

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        answer = self.answers.pop(0)
        for count, piece in enumerate(answer, start=1):
            yield Chunk(piece, 7, count, self.finish if count == len(answer) else None)


def asking(kind: str, schema: dict[str, Any] | None = None, choices: tuple[str, ...] = ()) -> Turn:
    turn = a_turn()
    wanted = turn.prepared.response_format
    wanted.type = kind
    wanted.choices.extend(choices)
    if schema is not None:
        wanted.json_schema = json.dumps(schema)
    return turn


@pytest.mark.parametrize(
    ("turn", "constraint"),
    [
        (a_turn(), None),
        (asking("text"), None),
        (asking("json_object"), AnyJson()),
        (asking("json_schema", NAMED), JsonSchema(json.dumps(NAMED))),
        (asking("choice", choices=("yes", "no")), Choice(("yes", "no"))),
    ],
)
async def test_the_engine_is_told_the_form_and_every_delta_says_whether_there_is_one(
    turn: Turn, constraint: object
) -> None:
    bench = Bench(Answering('{"name": "Ada"}'))
    result, deltas = await bench.ask(turn)
    assert bench.engine.requests[0].constraint == constraint
    assert section(result).text == text(deltas) == '{"name": "Ada"}'
    assert {delta.context.structured for delta in deltas} == {constraint is not None}


async def test_what_the_grammar_passes_over_is_asked_for_once_more_and_nobody_sees_the_first() -> None:
    bench = Bench(Answering("3", "4"))
    result, deltas = await bench.ask(asking("json_schema", EVEN))
    assert section(result).text == text(deltas) == "4"
    assert section(result).usage.completion_tokens == 2
    prompt = bench.engine.requests[1].prompt
    assert isinstance(prompt, Chat)
    (_, said), (_, remark) = prompt.messages[-2:]
    assert said == "3"
    assert "3 is not a multiple of 2" in remark


async def test_an_answer_that_does_not_fit_twice_is_an_error_that_says_why() -> None:
    with pytest.raises(Invalid, match="3 is not a multiple of 2") as caught:
        await Bench(Answering("1", "3")).ask(asking("json_schema", EVEN))
    assert (caught.value.code, caught.value.field) == ("schema_not_met", "response_format.json_schema")


async def test_an_answer_cut_at_its_length_is_given_as_far_as_it_went() -> None:
    result, deltas = await Bench(Answering('{"na', finish="length")).ask(asking("json_schema", NAMED))
    assert section(result).text == text(deltas) == '{"na'
    assert section(result).finish_reason == "length"


async def test_the_form_is_part_of_what_a_kept_answer_was_asked_for() -> None:
    bench = Bench(Answering('{"name": "Ada"}', '{"name": "Bob"}'))
    for turn, turn_id in ((asking("json_object"), "t1"), (asking("json_schema", NAMED), "t2")):
        turn.turn_id, turn.prepared.cacheable = turn_id, True
        await bench.ask(turn)
    assert len(bench.engine.requests) == 2
