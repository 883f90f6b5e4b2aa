"""The probabilities that every engine tells with its tokens; one that tells none says so."""

import math
from typing import Any

import pytest

from headrace.messaging.errors import Invalid
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.token_log import Likely
from services.inference.ports import Chat, ScoreRequest
from tests.fakes.real_engines import ask, cores

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

# Nothing that the mock engine says is probable.
telling = pytest.mark.parametrize("engine", cores(without="mock"), indirect=True, scope="module")


@telling
async def test_probabilities_come_with_the_tokens_that_make_the_text(engine: ProcessEngine) -> None:
    answer = await ask(engine, "Name a colour.", max_tokens=12, logprobs=0)
    tokens = [token for chunk in answer.chunks for token in chunk.logprobs]
    assert b"".join(token.drawn.bytes for token in tokens).decode() == answer.text
    assert all(token.drawn.logprob <= 0 for token in tokens)
    # Greedy draws what is likely, and what it draws has a word of its own to choose from.
    assert max(token.drawn.logprob for token in tokens) > math.log(0.5)
    assert len({token.drawn.logprob for token in tokens}) > len(tokens) / 2
    assert not any(chunk.logprobs for chunk in (await ask(engine, "Name a colour.", max_tokens=12)).chunks)


@telling
async def test_probabilities_are_those_of_what_was_drawn_from(engine: ProcessEngine) -> None:
    """Two first words are as probable, one against the other, as scoring the two says."""
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


@telling
async def test_a_stop_string_takes_the_probabilities_of_its_tokens_along(engine: ProcessEngine) -> None:
    whole = (await ask(engine, max_tokens=40)).text
    answer = await ask(engine, max_tokens=40, stop=(whole.split()[3],), logprobs=0)
    told = b"".join(token.drawn.bytes for chunk in answer.chunks for token in chunk.logprobs).decode()
    assert told.startswith(answer.text)
    assert len(told) <= len(answer.text) + len(whole.split()[3])
