"""The embedding engine, in its own process, against the encoder that it runs."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from headrace.messaging.errors import Invalid
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.opening import open_engine
from services.inference.ports import EmbedRequest, Engine, GenerationRequest, ScoreRequest, Vectors

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SPEC = load_registry(infra_dir() / "models").get("all-minilm-l6-v2", task="embed")
TEXTS = ("A river.", "A stream of water that runs to the sea.", "The annual report of a bank.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    engine = open_engine(SPEC, await asyncio.to_thread(prepare, SPEC), gpu=False)
    await engine.start()
    yield engine
    await engine.close()


def rows(vectors: Vectors) -> np.ndarray:
    return np.frombuffer(vectors.packed, "<f4").reshape(vectors.count, -1)


async def test_vectors_are_those_of_the_encoder_in_the_order_of_the_texts(engine: Engine) -> None:
    texts = TEXTS * 15
    made = rows(await engine.embed(EmbedRequest("a", texts)))
    encoder = await asyncio.to_thread(Embedder.load, prepare(SPEC))
    assert np.allclose(made, encoder.embed(texts), atol=1e-5)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    river, stream, bank = made[:3]
    assert river @ stream > river @ bank


async def test_requests_at_the_same_time_do_not_mix(engine: Engine) -> None:
    many, one = await asyncio.gather(
        engine.embed(EmbedRequest("many", TEXTS * 20)), engine.embed(EmbedRequest("one", TEXTS[:1]))
    )
    assert np.allclose(rows(one)[0], rows(many)[0], atol=1e-5)
    assert (many.count, one.count, one.tokens) == (60, 1, 3)


async def test_a_text_that_cannot_be_read_to_its_end_is_named(engine: Engine) -> None:
    with pytest.raises(Invalid, match="reads 254") as caught:
        await engine.embed(EmbedRequest("long", (*TEXTS, "word " * 300)))
    assert caught.value.field == "input[3]"


async def test_a_closed_request_leaves_the_others_alone(engine: Engine) -> None:
    asking = asyncio.create_task(engine.embed(EmbedRequest("gone", TEXTS * 80)))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await engine.embed(EmbedRequest("next", TEXTS))).count == 3


async def test_an_encoder_writes_and_scores_nothing(engine: Engine) -> None:
    with pytest.raises(Invalid, match="use a chat model"):
        await anext(engine.generate(GenerationRequest("g", "Hi")))
    with pytest.raises(Invalid, match="use a chat model"):
        await engine.score(ScoreRequest("s", "Hi", ("a", "b")))
