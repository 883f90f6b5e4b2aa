"""One suite over every engine: what a caller may rely on, whichever one the hardware picks."""

import asyncio
import json
import math
import os
import signal
from contextlib import aclosing
from typing import Any

import pytest

from headrace.messaging.errors import Invalid, Retryable
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.constraint import AnyJson, Choice, Constraint, JsonSchema
from services.inference.domain.sampling import Sampling
from services.inference.domain.token_log import Likely
from services.inference.ports import Chat, GenerationRequest, ScoreRequest
from tests.fakes.real_engines import MAX_QUEUE, MAX_RUNNING, STORY, ask
from tests.fakes.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def idle(engine: ProcessEngine) -> None:
    await until("every slot to be free", lambda: engine.running == 0)


async def test_an_answer_comes_in_pieces_with_one_end(engine: ProcessEngine) -> None:
    answer = await ask(engine)
    assert len(answer.chunks) > 2
    assert [chunk.finish_reason for chunk in answer.chunks[:-1]] == [None] * (len(answer.chunks) - 1)
    assert answer.last.finish_reason is not None
    assert answer.last.prompt_tokens > 0


async def test_max_tokens_end_an_answer_for_its_length(engine: ProcessEngine) -> None:
    answer = await ask(engine, max_tokens=5)
    assert (answer.last.completion_tokens, answer.last.finish_reason) == (5, "length")


async def test_an_answer_that_is_over_stops(engine: ProcessEngine) -> None:
    answer = await ask(engine, "What is the capital of France?", max_tokens=1500)
    assert answer.last.finish_reason == "stop"
    assert "<|im_end|>" not in answer.text


async def test_greedy_agrees_with_itself(engine: ProcessEngine) -> None:
    assert (await ask(engine)).text == (await ask(engine)).text


async def test_seeded_sampling_repeats_and_another_seed_differs(engine: ProcessEngine) -> None:
    first, second, other = [await ask(engine, temperature=0.9, top_p=0.95, seed=seed) for seed in (7, 7, 8)]
    assert first.text == second.text
    assert engine.name == "mock" or first.text != other.text


@pytest.mark.parametrize("seed", [-1, 2**62])
async def test_any_number_of_a_client_is_a_seed(engine: ProcessEngine, seed: int) -> None:
    first, second = [await ask(engine, temperature=0.9, seed=seed, max_tokens=8) for _ in range(2)]
    assert first.text == second.text


async def test_a_repetition_penalty_makes_an_answer_less_repetitive(engine: ProcessEngine) -> None:
    if engine.name == "mock":
        pytest.skip("the mock engine says the same whatever the sampling")
    plain, varied, again = [
        (await ask(engine, max_tokens=48, repetition_penalty=penalty)).text.split() for penalty in (1.0, 2.0, 2.0)
    ]
    assert varied == again
    assert len(set(varied)) / len(varied) > len(set(plain)) / len(plain)


async def test_a_prompt_as_tokens_is_the_prompt_as_text(engine: ProcessEngine) -> None:
    prompt = engine.tokenizer.render([("user", STORY)])
    by_tokens = await ask(engine, tuple(engine.tokenizer.encode(prompt)))
    assert by_tokens.text == (await ask(engine)).text


async def test_no_chunk_holds_half_a_character(engine: ProcessEngine) -> None:
    answer = await ask(engine, "Answer only with emoji and Japanese: 😀 日本語", max_tokens=60)
    assert "\ufffd" not in answer.text


async def test_an_answer_ends_before_a_stop_string(engine: ProcessEngine) -> None:
    whole = (await ask(engine, max_tokens=40)).text
    word = whole.split()[3]
    answer = await ask(engine, max_tokens=40, stop=(word,))
    assert answer.text == whole[: whole.index(word)]
    assert answer.last.finish_reason == "stop"
    await idle(engine)


async def test_requests_at_the_same_time_do_not_mix(engine: ProcessEngine) -> None:
    questions = [f"Write a sentence about {thing}." for thing in ("a dog", "the moon", "some bread", "a train")]
    alone = [(await ask(engine, question, max_tokens=12)).text for question in questions]
    asking = (ask(engine, question, f"request-{n}", max_tokens=12) for n, question in enumerate(questions))
    together = [answer.text for answer in await asyncio.gather(*asking)]
    assert together == alone


async def test_two_requests_of_one_name_have_a_stream_each(engine: ProcessEngine) -> None:
    one, two = await asyncio.gather(ask(engine, max_tokens=8), ask(engine, max_tokens=8))
    assert one.text == two.text


async def test_closing_the_stream_frees_its_slot(engine: ProcessEngine) -> None:
    request = GenerationRequest("r", Chat((("user", STORY),)), Sampling(max_tokens=1500))
    async with aclosing(engine.generate(request)) as chunks:
        async for _ in chunks:
            break
    assert engine.running == 0
    assert (await ask(engine, max_tokens=3)).text


async def test_a_cancelled_reader_makes_way_for_one_that_waits(engine: ProcessEngine) -> None:
    long = [asyncio.create_task(ask(engine, STORY, f"long-{n}", max_tokens=1500)) for n in range(MAX_RUNNING)]
    await until("all slots to be taken", lambda: engine.running == MAX_RUNNING)
    waiting = asyncio.create_task(ask(engine, STORY, "waiting", max_tokens=3))
    long[0].cancel()
    assert (await waiting).last.completion_tokens == 3
    for task in long:
        task.cancel()
    await asyncio.gather(*long, return_exceptions=True)
    await idle(engine)


async def test_cancelling_by_name_ends_the_stream_with_that_reason(engine: ProcessEngine) -> None:
    request = GenerationRequest("to-cancel", Chat((("user", STORY),)), Sampling(max_tokens=1500))
    reasons = []
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            reasons.append(chunk.finish_reason)
            await engine.cancel("to-cancel")
    assert reasons[-1] == "cancelled"
    await engine.cancel("never-heard-of")


async def test_a_full_queue_refuses_with_the_time_to_come_back(engine: ProcessEngine) -> None:
    asking = [asyncio.create_task(ask(engine, STORY, f"r{n}", max_tokens=1500)) for n in range(MAX_RUNNING + MAX_QUEUE)]
    await until("all slots to be taken", lambda: engine.running == MAX_RUNNING)
    with pytest.raises(Retryable, match="full") as caught:
        await ask(engine)
    assert caught.value.retry_after_ms
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await idle(engine)


async def test_a_prompt_beyond_the_window_is_refused_with_its_limit(engine: ProcessEngine) -> None:
    with pytest.raises(Invalid, match="2048") as caught:
        await ask(engine, "word " * 3000)
    assert (caught.value.code, caught.value.field) == ("prompt_too_long", "text")


async def test_scores_sum_to_one_and_prefer_the_obvious_label(engine: ProcessEngine) -> None:
    prompt = "The opposite of big is small. The opposite of hot is cold. The opposite of hot is"
    scores = await engine.score(ScoreRequest("s", prompt, (" blue", " cold", " seventeen elephants")))
    assert sum(scores.probabilities) == pytest.approx(1)
    assert scores.probabilities[1] > 0.8
    assert scores.prompt_tokens > 10


async def test_scoring_the_same_prompt_again_gives_the_same(engine: ProcessEngine) -> None:
    """INVARIANT: what the engine remembers of a prompt (a prefix cache) changes no score."""
    prompt = "Review: a dull film, I left early. Sentiment:"
    asked = [ScoreRequest("s", prompt, labels) for labels in ((" good", " bad"), (" bad", " good"), (" good", " bad"))]
    first, swapped, again = [(await engine.score(request)).probabilities for request in asked]
    assert first == pytest.approx(again, abs=0.01)
    assert first == pytest.approx(swapped[::-1], abs=0.01)


@pytest.mark.parametrize("words", [20, 21, 22, 23, 24, 25, 26, 27])
async def test_scores_do_not_depend_on_where_a_cache_block_ends(engine: ProcessEngine, words: int) -> None:
    prompt = "one " * words + "The opposite of hot is"
    scores = await engine.score(ScoreRequest("s", prompt + " cold. The opposite of hot is", (" cold", " blue")))
    assert scores.probabilities[0] > 0.7


async def test_many_scorings_at_once_are_each_their_own(engine: ProcessEngine) -> None:
    pairs = [("hot", "cold"), ("big", "small"), ("day", "night"), ("up", "down"), ("black", "white")]
    labels = tuple(f" {answer}" for _, answer in pairs)
    asking = (
        engine.score(ScoreRequest(f"s{n}", f"The opposite of {word} is {answer}. The opposite of {word} is", labels))
        for n, (word, answer) in enumerate(pairs)
    )
    for row, scores in enumerate(await asyncio.gather(*asking)):
        assert max(scores.probabilities) == scores.probabilities[row]


async def test_a_classification_needs_labels(engine: ProcessEngine) -> None:
    with pytest.raises(Invalid) as caught:
        await engine.score(ScoreRequest("s", "x", ()))
    assert caught.value.field == "labels"


async def test_a_core_that_dies_fails_its_requests_as_retryable_and_comes_back(engine: ProcessEngine) -> None:
    asking = asyncio.create_task(ask(engine, max_tokens=1500))
    await until("the request to run", lambda: engine.running == 1)
    assert engine.core_pid is not None
    os.kill(engine.core_pid, signal.SIGKILL)
    with pytest.raises(Retryable):
        await asking
    assert (await ask(engine, max_tokens=3)).last.completion_tokens == 3


async def write(engine: ProcessEngine, constraint: Constraint, prompt: str, name: str = "form") -> str:
    if engine.name == "mock":
        pytest.skip("keeps to no form")
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


async def test_an_answer_keeps_to_its_schema_and_those_beside_it_are_not_touched(engine: ProcessEngine) -> None:
    schema = JsonSchema(json.dumps(PERSON))
    told, beside = await asyncio.gather(
        write(engine, schema, "Describe a person named Ada, 36 years old, as JSON."), ask(engine, STORY, "beside")
    )
    found = json.loads(told)
    assert set(found) == {"name", "age"}
    assert isinstance(found["age"], int)
    assert beside.text == (await ask(engine, STORY, "alone")).text


async def test_an_answer_is_one_of_the_choices_word_for_word(engine: ProcessEngine) -> None:
    options = ("grün", 'a "deep" blue', "no colour")
    assert await write(engine, Choice(options), "Which colour is the sky?") in options


async def test_any_json_begins_as_one(engine: ProcessEngine) -> None:
    assert (await write(engine, AnyJson(), "Describe a river as JSON."))[0] in "{["


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


async def test_an_engine_that_keeps_to_no_form_says_so(engine: ProcessEngine) -> None:
    if engine.name != "mock":
        pytest.skip("keeps to forms")
    request = GenerationRequest("form", Chat((("user", "?"),)), constraint=AnyJson())
    with pytest.raises(Invalid, match="keeps to no form"):
        await anext(engine.generate(request))


async def test_probabilities_come_with_the_tokens_that_make_the_text(engine: ProcessEngine) -> None:
    if engine.name == "mock":
        pytest.skip("nothing that it says is probable")
    answer = await ask(engine, "Name a colour.", max_tokens=12, logprobs=0)
    tokens = [token for chunk in answer.chunks for token in chunk.logprobs]
    assert b"".join(token.drawn.bytes for token in tokens).decode() == answer.text
    assert all(token.drawn.logprob <= 0 for token in tokens)
    # Greedy draws what is likely, and what it draws has a word of its own to choose from.
    assert max(token.drawn.logprob for token in tokens) > math.log(0.5)
    assert len({token.drawn.logprob for token in tokens}) > len(tokens) / 2
    assert not any(chunk.logprobs for chunk in (await ask(engine, "Name a colour.", max_tokens=12)).chunks)


async def test_probabilities_are_those_of_what_was_drawn_from(engine: ProcessEngine) -> None:
    """Two first words are as probable, one against the other, as scoring the two says."""
    if engine.name == "mock":
        pytest.skip("nothing that it says is probable")
    prompt = Chat((("user", "Is the sky blue? Say yes or no."),))
    likely = await first_token(engine, prompt)
    drawn = [await first_token(engine, prompt, temperature=1.0, seed=seed) for seed in range(8)]
    other = next(token for token in drawn if token.bytes != likely.bytes and token.text.isascii())
    scores = await engine.score(ScoreRequest("two", prompt, (likely.text, other.text)))
    said = math.log(scores.probabilities[0]) - math.log(scores.probabilities[1])
    assert likely.logprob - other.logprob == pytest.approx(said, abs=0.02)
    cold = await first_token(engine, prompt, temperature=0.05, seed=3)
    assert cold.bytes == likely.bytes
    assert cold.logprob > likely.logprob


async def first_token(engine: ProcessEngine, prompt: Chat, **sampling: Any) -> Likely:
    answer = await ask(engine, prompt, max_tokens=1, logprobs=0, **sampling)
    (token,) = [token for chunk in answer.chunks for token in chunk.logprobs]
    return token.drawn


async def test_alternatives_are_the_likeliest_first_where_the_engine_tells_them(engine: ProcessEngine) -> None:
    asking = ask(engine, "Name a colour.", max_tokens=6, logprobs=3)
    if engine.name not in {"transformers", "vllm"}:
        with pytest.raises(Invalid) as caught:
            await asking
        assert caught.value.field == ("logprobs" if engine.name == "mock" else "top_logprobs")
        return
    answer = await asking
    for token in (token for chunk in answer.chunks for token in chunk.logprobs):
        assert len(token.top) == 3
        assert token.top[0] == token.drawn
        assert [each.logprob for each in token.top] == sorted((each.logprob for each in token.top), reverse=True)


async def test_a_stop_string_takes_the_probabilities_of_its_tokens_along(engine: ProcessEngine) -> None:
    if engine.name == "mock":
        pytest.skip("nothing that it says is probable")
    whole = (await ask(engine, max_tokens=40)).text
    answer = await ask(engine, max_tokens=40, stop=(whole.split()[3],), logprobs=0)
    told = b"".join(token.drawn.bytes for chunk in answer.chunks for token in chunk.logprobs).decode()
    assert told.startswith(answer.text)
    assert len(told) <= len(answer.text) + len(whole.split()[3])
