"""Composition root of postprocessing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from headrace.messaging import topics
from headrace.runtime.run import run
from headrace.runtime.service import Service, StreamStage, TurnStage
from headrace.stores.masks import RedisMaskStore
from headrace.stores.memory import RedisConversationMemory
from headrace.stores.redis import connect
from headrace.v1.turns_pb2 import ClearedDelta
from services.postprocessing.adapters.polishing import HarperPolisher
from services.postprocessing.handlers import Answers, Deltas, Finishing, stream_of
from services.postprocessing.ports import Masks, Memory, Polisher
from services.postprocessing.settings import Settings


def build_app(
    settings: Settings, *, memory: Memory | None = None, masks: Masks | None = None, polisher: Polisher | None = None
) -> Service:
    """Wire the stores; Redis is dialled with the first command."""
    redis = connect(settings.redis_url)
    memory = memory or RedisConversationMemory(
        redis, keep=settings.memory_exchanges, ttl_seconds=settings.memory_seconds
    )
    masks = masks or RedisMaskStore(redis)
    finishing = Finishing(polisher or HarperPolisher())

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(redis.aclose)
            yield

    return Service(
        name="postprocessing",
        settings=settings,
        lifespan=lifespan,
        stages=(
            TurnStage("postprocessing", section="final", handler=Answers(memory, masks, finishing).finish),
            StreamStage(
                "deltas", topics.DELTAS_CLEARED, ClearedDelta, stream=stream_of, step=Deltas(masks, finishing).step
            ),
        ),
    )


if __name__ == "__main__":
    run(build_app(Settings()))
