"""OpenAI's own client, as it is, against the whole stack with its real models."""

import json
import math

import openai
import pytest

from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
MODEL = "smollm2-135m-instruct"
FRANCE: list[openai.types.chat.ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the capital of France?"}
]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "born": {"type": "integer"}},
    "required": ["name", "born"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def client(stack: Stack) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", timeout=300, max_retries=5)


def test_an_answer_whole_and_as_a_stream_with_what_its_tokens_were_worth(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(
        model=MODEL, messages=FRANCE, temperature=0, seed=1, max_tokens=30, logprobs=True
    )
    (choice,) = whole.choices
    assert "Paris" in (choice.message.content or "")
    assert choice.logprobs is not None
    tokens = choice.logprobs.content or []
    assert "".join(token.token for token in tokens).strip() == choice.message.content
    assert all(0 < math.exp(token.logprob) <= 1.001 for token in tokens)
    assert whole.model_extra is not None
    assert len(whole.model_extra["headrace"]["trace_id"]) == 32
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=FRANCE, temperature=0, seed=1, max_tokens=30, logprobs=True,
            stream=True, stream_options={"include_usage": True},
        )
    )  # fmt: skip
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == choice.message.content
    assert chunks[-1].usage == whole.usage
    assert [chunk.model_extra["headrace"]["cached"] for chunk in chunks if chunk.model_extra] == [True]


async def test_the_awaiting_client_gets_what_a_schema_allows(stack: Stack) -> None:
    async with openai.AsyncOpenAI(base_url=f"{stack.url}/v1", api_key="none", timeout=300, max_retries=5) as client:
        answer = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Describe Ada Lovelace, born 1815, as JSON."}],
            response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}},
            max_tokens=80,
        )
    found = json.loads(answer.choices[0].message.content or "")
    assert set(found) == {"name", "born"}
    assert isinstance(found["born"], int)


def test_texts_of_one_meaning_have_vectors_that_lie_close(client: openai.OpenAI) -> None:
    made = client.embeddings.create(
        model="all-minilm-l6-v2", input=["A river.", "A stream of water.", "The annual report of a bank."]
    )
    river, stream, bank = (each.embedding for each in made.data)
    assert len(river) == 384
    assert _dot(river, stream) > _dot(river, bank)


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_models_are_listed_and_an_unknown_one_is_their_kind_of_error(client: openai.OpenAI) -> None:
    assert {MODEL, "all-minilm-l6-v2"} <= {model.id for model in client.models.list()}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="gpt-7", messages=FRANCE)
    assert (refused.value.code, refused.value.param) == ("unknown_model", "model")
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="all-minilm-l6-v2", input="word " * 400)
    assert refused.value.param == "input[0]"


def test_a_template_of_the_clients_choice_answers_in_its_way(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "ship it today"}],
        metadata={"tone": "formal"},
        extra_body={"template": "rewrite"},
        max_tokens=40,
    )
    assert answer.choices[0].message.content
    assert answer.model_extra is not None
    assert answer.model_extra["headrace"]["versions"]["template"] == "rewrite/1"
