"""One suite over every engine: what a caller may rely on, whichever one the hardware picks."""

import asyncio
import os
import signal
from contextlib import aclosing

import pytest

from headrace.messaging.errors import Invalid, Retryable
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.sampling import Sampling
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
