"""OpenAI's own client against the gateway."""

import asyncio
import json

import openai
import pytest

from headrace.v1.responses_pb2 import Citation, Embedding, Error, ResponseCompleted, TokenLogprob, Usage
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World

pytestmark = pytest.mark.parametrize("bootstrap", [""], ids=["memory"])
MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "What is Kafka?"}]


def client_of(address: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"http://{address}/v1", api_key="none", max_retries=0)


async def test_a_whole_answer(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(
                model="m", messages=MESSAGES, temperature=0, max_tokens=5, seed=3, stop=["X"]
            )
        )
        turn = await world.pipeline.asked_any()
        assert [(message.role, message.content) for message in turn.prompt.messages] == [("user", "What is Kafka?")]
        assert (turn.prompt.model, turn.prompt.sampling.max_tokens, turn.prompt.sampling.seed) == ("m", 5, 3)
        await turn.complete(
            ResponseCompleted(
                attempt=1,
                status=ResponseCompleted.ANSWERED,
                text="A log.",
                finish_reason="length",
                model="m-1",
                usage=Usage(prompt_tokens=4, completion_tokens=3),
            )
        )
        answer = await asking
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason, answer.model) == (
        "A log.",
        "length",
        "m-1",
    )
    assert answer.usage is not None
    assert answer.usage.total_tokens == 7
    assert answer._request_id == turn.prompt.turn_id


async def test_a_streamed_answer(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(
                model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
        )
        turn = await world.pipeline.asked_any()
        await turn.delta("A ")
        stream = await asking
        await turn.delta("log.")
        await turn.complete()
        chunks = [chunk async for chunk in stream]
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "A log."
    assert choices[-1].finish_reason == "stop"
    assert chunks[-1].usage is not None


PROBABLE = [
    TokenLogprob(token="A", bytes=b"A", logprob=-0.25, top=[TokenLogprob(token="A", bytes=b"A", logprob=-0.25)]),
    TokenLogprob(
        token=" log", bytes=b" log", logprob=-1.5, top=[TokenLogprob(token=" bug", bytes=b" bug", logprob=-1)]
    ),
]


@pytest.mark.parametrize("stream", [False, True])
async def test_probabilities_come_in_their_shape(world: World, *, stream: bool) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(model="m", messages=MESSAGES, logprobs=True, top_logprobs=1, stream=stream)
        )
        turn = await world.pipeline.asked_any()
        assert turn.prompt.sampling.logprobs == 1
        await turn.delta("A log")
        await turn.complete(ResponseCompleted(status=ResponseCompleted.ANSWERED, text="A log", logprobs=PROBABLE))
        answer = await asking
        if isinstance(answer, openai.AsyncStream):
            told = [chunk.choices[0].logprobs.content async for chunk in answer if chunk.choices[0].logprobs]
        else:
            told = [choice.logprobs.content for choice in answer.choices if choice.logprobs]
    (content,) = told
    assert content is not None
    assert [(token.token, token.logprob, bytes(token.bytes or [])) for token in content] == [
        ("A", -0.25, b"A"),
        (" log", -1.5, b" log"),
    ]
    assert [[top.token for top in token.top_logprobs] for token in content] == [["A"], [" bug"]]


async def test_what_is_ours_stands_in_a_field_that_clients_pass_over(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(model="m", messages=MESSAGES, extra_body={"pipeline": "chat"})
        )
        turn = await world.pipeline.asked_any()
        assert turn.prompt.pipeline == "chat"
        await turn.complete(
            ResponseCompleted(
                status=ResponseCompleted.ANSWERED,
                text="Free [1].",
                citations=[Citation(marker="[1]", title="Shipping")],
                usage=Usage(cached=True),
                trace_id="f" * 32,
                versions={"pipeline": "chat/1"},
            )
        )
        answer = await asking
    assert answer.model_extra is not None
    ours = answer.model_extra["headrace"]
    assert [citation["title"] for citation in ours["citations"]] == ["Shipping"]
    assert (ours["cached"], ours["trace_id"], ours["pipeline"]) == (True, "f" * 32, "chat/1")


async def test_a_refusal_is_a_filtered_answer(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(client.chat.completions.create(model="m", messages=MESSAGES))
        turn = await world.pipeline.asked_any()
        await turn.complete(ResponseCompleted(status=ResponseCompleted.REFUSED, text="No."))
        answer = await asking
    assert (answer.choices[0].finish_reason, answer.choices[0].message.content) == ("content_filter", "No.")


@pytest.mark.parametrize("stream", [False, True])
async def test_an_unknown_model_is_their_kind_of_error(world: World, *, stream: bool) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(client.chat.completions.create(model="x", messages=MESSAGES, stream=stream))
        turn = await world.pipeline.asked_any()
        await turn.fail(Error(code="unknown_model", message="use one of m", field="model"))
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
    assert (refused.value.code, refused.value.param) == ("unknown_model", "model")


async def test_a_parameter_that_would_not_be_honoured_is_refused(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model="m", messages=MESSAGES, presence_penalty=1.0)
    assert refused.value.param == "presence_penalty"


async def test_what_clients_send_unasked_is_no_error_as_long_as_it_asks_for_nothing(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(
                model="m", messages=MESSAGES, n=1, presence_penalty=0, frequency_penalty=0, logprobs=False
            )
        )
        await (await world.pipeline.asked_any()).complete()
        await asking
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model="m", messages=MESSAGES, n=2)
    assert (refused.value.param, refused.value.code) == ("n", "unsupported_parameter")


async def test_a_schema_reaches_the_prompt_as_it_is(world: World) -> None:
    deep: dict[str, object] = {"type": "string"}
    for _ in range(10):
        deep = {"type": "object", "properties": {"next": deep}}
    async with client_of(await world.gateway()) as client:
        wanted = {"type": "json_schema", "json_schema": {"name": "deep", "schema": deep, "strict": True}}
        asking = asyncio.create_task(
            client.chat.completions.create(model="m", messages=MESSAGES, response_format=wanted)  # type: ignore[call-overload]
        )
        turn = await world.pipeline.asked_any()
        await turn.complete()
        await asking
    assert turn.prompt.response_format.type == "json_schema"
    assert json.loads(turn.prompt.response_format.json_schema) == deep


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"type": "json_schema"}, "response_format.json_schema.schema"),
        ({"type": "json_schema", "json_schema": {"name": "x", "shema": {}}}, "response_format.json_schema.shema"),
        ({}, "response_format.type"),
        ({"type": "grammar", "grammar": "x"}, "response_format.grammar"),
    ],
)
async def test_a_form_that_cannot_be_read_is_named(world: World, wanted: dict[str, object], param: str) -> None:
    async with client_of(await world.gateway()) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model="m", messages=MESSAGES, response_format=wanted)  # type: ignore[call-overload]
    assert refused.value.param == param


async def test_a_client_that_hangs_up_cancels_its_turn(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(client.chat.completions.create(model="m", messages=MESSAGES))
        whole = await world.pipeline.asked_any()
        asking.cancel()
        await until("the cancellation", lambda: whole.prompt.turn_id in world.pipeline.cancelled())
        streaming = asyncio.create_task(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
        await until("the second prompt", lambda: len(world.pipeline.asked_now()) > 1)
        streamed = await world.pipeline.asked_any()
        await streamed.delta("A")
        await (await streaming).close()
        await streamed.delta(" log")
        await until("the second cancellation", lambda: streamed.prompt.turn_id in world.pipeline.cancelled())


async def test_the_models_are_listed(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        assert [model.id async for model in client.models.list()] == ["smollm2-135m-instruct", "all-minilm-l6-v2"]
        model = await client.models.retrieve("smollm2-135m-instruct")
        assert (model.id, model.model_extra) == (
            "smollm2-135m-instruct",
            {"headrace": {"task": "chat", "context_window": 4096}},
        )
        with pytest.raises(openai.NotFoundError, match="use one of smollm2"):
            await client.models.retrieve("gpt-7")


async def test_texts_become_vectors(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(client.embeddings.create(model="m", input=["One", "Two"]))
        turn = await world.pipeline.asked_any()
        assert (list(turn.prompt.input), turn.prompt.pipeline) == (["One", "Two"], "embeddings")
        await turn.complete(
            ResponseCompleted(
                status=ResponseCompleted.ANSWERED,
                embeddings=[Embedding(values=[0.5, -1.0]), Embedding(values=[0.25, 0.0])],
                usage=Usage(prompt_tokens=2),
                model="m-1",
            )
        )
        made = await asking
    # The client asks for base64 by itself and reads it.
    assert [each.embedding for each in made.data] == [[0.5, -1.0], [0.25, 0.0]]
    assert (made.model, made.usage.total_tokens) == ("m-1", 2)


async def test_a_text_that_is_too_long_is_their_kind_of_error(world: World) -> None:
    async with client_of(await world.gateway()) as client:
        asking = asyncio.create_task(client.embeddings.create(model="m", input="word " * 300))
        turn = await world.pipeline.asked_any()
        await turn.fail(Error(code="too_long", message="input[0] has 300 tokens", field="input[0]"))
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
    assert (refused.value.code, refused.value.param) == ("too_long", "input[0]")
