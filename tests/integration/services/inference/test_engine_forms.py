"""What every engine that keeps to a form keeps to: schemas, choices, any JSON. One that does not says so."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from headrace.messaging.errors import Invalid
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.constraint import AnyJson, Choice, Constraint, JsonSchema
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, GenerationRequest
from tests.fakes.real_engines import STORY, ask, cores

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


# No skip within a test: it would leave what the test asked at the same time to the next one.
keeping = pytest.mark.parametrize("engine", cores(without="mock"), indirect=True, scope="module")


async def write(engine: ProcessEngine, constraint: Constraint, prompt: str, name: str = "form") -> str:
    wanted = Sampling(max_tokens=60, repetition_penalty=1.1)
    request = GenerationRequest(name, Chat((("user", prompt),)), wanted, constraint=constraint)
    async with aclosing(engine.generate(request)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@keeping
async def test_an_answer_keeps_to_its_schema_and_those_beside_it_are_not_touched(engine: ProcessEngine) -> None:
    schema = JsonSchema(json.dumps(PERSON))
    told, beside = await asyncio.gather(
        write(engine, schema, "Describe a person named Ada, 36 years old, as JSON."), ask(engine, STORY, "beside")
    )
    found = json.loads(told)
    assert set(found) == {"name", "age"}
    assert isinstance(found["age"], int)
    assert beside.text == (await ask(engine, STORY, "alone")).text


@keeping
async def test_an_answer_is_one_of_the_choices_word_for_word(engine: ProcessEngine) -> None:
    options = ("grün", 'a "deep" blue', "no colour")
    assert await write(engine, Choice(options), "Which colour is the sky?") in options


@keeping
async def test_any_json_begins_as_one(engine: ProcessEngine) -> None:
    assert (await write(engine, AnyJson(), "Describe a river as JSON."))[0] in "{["


@keeping
@pytest.mark.parametrize(
    "schema", [{"type": "strange"}, {"enum": []}, {"$ref": "#/none"}, {"pattern": "(?=a)b", "type": "string"}]
)
async def test_a_schema_that_no_grammar_can_follow_is_refused_and_the_engine_goes_on(
    engine: ProcessEngine, schema: dict[str, Any]
) -> None:
    with pytest.raises(Invalid, match="cannot be followed") as caught:
        await write(engine, JsonSchema(json.dumps(schema)), "Anything.")
    assert (caught.value.code, caught.value.field) == ("invalid_schema", "response_format.json_schema")
    assert (await ask(engine)).text


@pytest.mark.parametrize("engine", ["mock"], indirect=True, scope="module")
async def test_an_engine_that_keeps_to_no_form_says_so(engine: ProcessEngine) -> None:
    request = GenerationRequest("form", Chat((("user", "?"),)), constraint=AnyJson())
    with pytest.raises(Invalid, match="keeps to no form"):
        await anext(engine.generate(request))
