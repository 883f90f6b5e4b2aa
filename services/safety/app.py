"""Composition root of safety."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.messaging import topics
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.run import run
from headrace.runtime.service import Service, StreamStage, TurnStage
from headrace.stores.masks import MaskStore, RedisMaskStore
from headrace.stores.redis import connect, reaching
from headrace.v1.turns_pb2 import GeneratedDelta
from services.safety.adapters.injection_model import InjectionModel
from services.safety.adapters.names import NameModel
from services.safety.adapters.policies import PipelinePolicies, load_policies, needs_injection_head, needs_names
from services.safety.adapters.wire import stream_of
from services.safety.domain.findings import InjectionScore
from services.safety.handlers import Gate, InputJudgement, OutputJudgement
from services.safety.ports import Names
from services.safety.settings import Settings


def build_app(
    settings: Settings,
    *,
    pipelines: Pipelines | None = None,
    masks: MaskStore | None = None,
    injection: InjectionScore | None = None,
    names: Names | None = None,
) -> Service:
    """Read pipelines and policies; `lifespan` loads the models, and trains the injection head where there is none."""
    pipelines = pipelines or Pipelines.load(infra_dir() / "pipelines")
    policies = load_policies(infra_dir() / "policies")
    redis = connect(settings.redis_url)
    masks = masks or RedisMaskStore(redis)
    model = InjectionModel()
    registry = load_registry(infra_dir() / "models")
    # Fetched and loaded only where a policy looks for names.
    name_model = NameModel(registry.get(settings.names_model, task="tag")) if needs_names(policies) else None
    rulebooks = PipelinePolicies(pipelines, policies, injection or model, names or name_model)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if injection is None and needs_injection_head(policies):
            await model.warm_up(settings.training_seconds)
        if names is None and name_model is not None:
            await asyncio.to_thread(name_model.warm_up)
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
