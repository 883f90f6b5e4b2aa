"""Composition root of safety."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.messaging import topics
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.run import run
from headrace.runtime.service import Service, StreamStage, TurnStage
from headrace.stores.masks import MaskStore, RedisMaskStore
from headrace.stores.redis import connect, reaching
from headrace.v1.turns_pb2 import GeneratedDelta
from services.safety.adapters.models import Models
from services.safety.adapters.policies import PipelinePolicies, in_use, load_policies
from services.safety.adapters.prompts import instruction_texts
from services.safety.adapters.wire import stream_of
from services.safety.domain.findings import InjectionScore
from services.safety.handlers import Gate, InputJudgement, OutputJudgement
from services.safety.ports import Looks
from services.safety.settings import Settings


def build_app(
    settings: Settings,
    *,
    pipelines: Pipelines | None = None,
    masks: MaskStore | None = None,
    injection: InjectionScore | None = None,
) -> Service:
    """Read pipelines and policies; `lifespan` loads the models that they ask for, after training what is trained here.

    With `injection` no model is loaded: it scores what people write, and no other rule has a model to ask.
    """
    pipelines = pipelines or Pipelines.load(infra_dir() / "pipelines")
    policies = load_policies(infra_dir() / "policies")
    redis = connect(settings.redis_url)
    masks = masks or RedisMaskStore(redis)
    instructions = instruction_texts(infra_dir() / "prompts")
    models: Models | None = None
    if injection:
        looks = Looks(injection=injection, instructions=instructions)
    else:
        models = Models(settings.names_model, instructions)
        looks = models.looks
    rulebooks = PipelinePolicies(pipelines, policies, looks)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if models:
            await models.warm_up(in_use(pipelines, policies), settings.training_seconds)
        try:
            yield
        finally:
            await redis.aclose()

    async def redis_answers() -> None:
        """Without Redis nothing can be masked, and what needs masking waits."""
        with reaching("mask store"):
            await redis.ping()

    return Service(
        name="safety",
        settings=settings,
        lifespan=lifespan,
        ready={"masks": redis_answers},
        stages=(
            TurnStage("safety", "safety", InputJudgement(rulebooks, masks, settings.mask_grace_seconds)),
            TurnStage("output", "safety", OutputJudgement(rulebooks)),
            StreamStage("gate", topics.DELTAS_GENERATED, GeneratedDelta, stream=stream_of, step=Gate(rulebooks).step),
        ),
    )


if __name__ == "__main__":
    run(build_app(Settings()))
