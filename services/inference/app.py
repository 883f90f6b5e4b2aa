"""Composition root of inference."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

import structlog

from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.errors import HeadraceError
from headrace.models.registry import Registry, load_registry
from headrace.runtime.paths import infra_dir
from headrace.runtime.run import run
from headrace.runtime.service import Service, TurnStage
from headrace.stores.redis import connect
from services.inference.adapters.cache import RedisCache
from services.inference.adapters.ledger import RedisLedger, process_mark
from services.inference.adapters.local_models import LocalModels
from services.inference.adapters.ray_models import RayModels
from services.inference.handlers.answers import Answers
from services.inference.handlers.claims import Claims
from services.inference.handlers.embedding import Embeddings
from services.inference.handlers.generation import Generation
from services.inference.handlers.inference import Inferring
from services.inference.handlers.kinds import Kinds
from services.inference.ports import Cache, Ledger, Models
from services.inference.settings import Settings

log = structlog.get_logger()


def build_app(
    settings: Settings,
    *,
    registry: Registry | None = None,
    models: Models | None = None,
    ledger: Ledger | None = None,
    cache: Cache | None = None,
    clock: Clock | None = None,
) -> Service:
    """Read the registry; engines and Redis come with `lifespan` and the first turn."""
    clock = clock or SystemClock()
    registry = registry or load_registry(infra_dir() / "models")
    redis = connect(settings.redis_url)
    ledger = ledger or RedisLedger(
        redis,
        owner=settings.instance,
        process=process_mark(clock.now_ms()),
        lease_seconds=settings.lease_seconds,
        keep_seconds=settings.ledger_seconds,
    )
    cache = cache or RedisCache(redis, keep_seconds=settings.cache_seconds)
    owned: LocalModels | RayModels | None = None
    if models is None:
        models = owned = _models(settings)
    inferring = Inferring(
        registry,
        Generation(registry, models, clock, linger_ms=settings.linger_ms),
        Claims(ledger, clock, lease_seconds=settings.lease_seconds),
        Answers(cache, clock),
        clock,
    )

    kinds = Kinds(inferring, Embeddings(registry, models, clock))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        """Load the models that are asked for most; the others, and one that fails now, when a turn asks for them."""
        try:
            for name in settings.warm_models:
                try:
                    await models.engine(registry.get(name))
                except HeadraceError as exc:
                    log.warning("model not loaded ahead", model=name, reason=str(exc))
            yield
        finally:
            if owned is not None:
                await owned.close()
            await redis.aclose()

    return Service(
        name="inference",
        settings=settings,
        lifespan=lifespan,
        stages=(TurnStage(name="inference", section="inference", handler=kinds.turn),),
        ready={"models": models.check},
    )


def _models(settings: Settings) -> LocalModels | RayModels:
    match settings.runtime:
        case "local":
            return LocalModels()
        case "ray":
            return RayModels(settings.ray_address)
        case never:
            assert_never(never)


if __name__ == "__main__":
    run(build_app(Settings()))
