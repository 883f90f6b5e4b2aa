"""The service as it is wired, without Kafka: engines in its own processes, a real Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from headrace.messaging.contract import Next
from headrace.models.registry import Registry
from headrace.models.spec import ModelSpec
from headrace.runtime.service import TurnStage
from headrace.v1.turns_pb2 import Inference, Turn
from services.inference.app import build_app
from services.inference.settings import Settings
from tests.fakes.contexts import Published, a_context

pytestmark = pytest.mark.integration


def spec(text: str) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "name": "spoken",
            "task": "chat",
            "source": {"type": "builtin"},
            "revision": "1",
            "engine": "mock",
            "mock": {"text": text},
            "limits": {"context_window": 4096, "max_new_tokens": 4096},
        }
    )


@asynccontextmanager
async def running(redis_url: str, text: str) -> AsyncIterator[TurnStage]:
    settings = Settings(runtime="local", redis_url=redis_url, instance="inference-0", warm_models=("spoken",))
    service = build_app(settings, registry=Registry({"spoken": spec(text)}))
    async with service.lifespan():
        await service.ready["models"]()
        (stage,) = service.stages
        assert isinstance(stage, TurnStage)
        yield stage


async def answer(stage: TurnStage, turn: Turn) -> Inference:
    result = await stage.handler(turn, replace(a_context(tenant=turn.tenant), publisher=Published()))
    assert isinstance(result, Next)
    assert isinstance(result.section, Inference)
    return result.section


def a_turn(turn_id: str, *, cacheable: bool = False) -> Turn:
    turn = Turn(turn_id=turn_id, tenant=f"tenant of {turn_id}")
    turn.prepared.model = "spoken"
    turn.prepared.question = "Well?"
    turn.prepared.cacheable = cacheable
    return turn


async def test_a_restarted_service_gives_the_committed_answer_and_not_a_new_one(valkey: str) -> None:
    async with running(valkey, "first words") as stage:
        first = await answer(stage, a_turn("restart"))
    async with running(valkey, "other words") as stage:
        again = await answer(stage, a_turn("restart"))
    assert first.text == again.text == "first words"
    assert again.attempt == 1


async def test_without_redis_the_service_answers(valkey: str) -> None:
    assert valkey
    async with running("redis://127.0.0.1:1/0", "words") as stage:
        assert (await answer(stage, a_turn("no-redis", cacheable=True))).text == "words"
