"""Composition root of grounding."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from headrace.messaging import topics
from headrace.models.registry import load_registry
from headrace.models.spec import ModelSpec
from headrace.runtime.paths import data_dir, infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.service import EventStage, Service, TurnStage
from headrace.stores.memory import ConversationMemory, RedisConversationMemory
from headrace.stores.redis import connect
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.parsing import parse
from services.grounding.adapters.points import Points
from services.grounding.adapters.template import fill
from services.grounding.adapters.tokenizers import RegistryTokenizers
from services.grounding.handlers import GroundTurn, IndexKnowledge, RetrievalPolicy
from services.grounding.ports import Embeddings, Knowledge, Tokenizers
from services.grounding.settings import Settings


def build_app(
    settings: Settings,
    *,
    knowledge: Knowledge | None = None,
    embeddings: Embeddings | None = None,
    memory: ConversationMemory | None = None,
    tokenizers: Tokenizers | None = None,
) -> Service:
    """The service with its real parts, or with those that are given."""
    registry = load_registry(infra_dir() / "models")
    spec = registry.get(settings.embedding_model)
    embeddings = embeddings or ModelEmbeddings(spec, threads=settings.embedding_threads)
    knowledge = knowledge or PointKnowledge(_points(settings, spec, lambda: embeddings.dimensions))
    redis = connect(settings.redis_url)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        try:
            async with embeddings, knowledge:
                yield
        finally:
            await redis.aclose()

    ground = GroundTurn(
        knowledge=knowledge,
        embeddings=embeddings,
        memory=memory or RedisConversationMemory(redis),
        fill=fill,
        tokenizers=tokenizers or RegistryTokenizers(registry),
        pipelines=Pipelines.load(infra_dir() / "pipelines"),
        policy=RetrievalPolicy(
            max_passages=settings.max_passages,
            min_score=settings.min_score,
            history_exchanges=settings.history_exchanges,
            default_collection=settings.default_collection,
            on_failure=settings.on_failure,
        ),
    )
    index = IndexKnowledge(
        knowledge=knowledge,
        embeddings=embeddings,
        parser=parse,
        chunk_tokens=settings.chunk_tokens,
        max_bytes=settings.max_document_bytes,
    )
    return Service(
        name="grounding",
        settings=settings,
        stages=(
            TurnStage("grounding", "grounding", ground),
            # Documents fill the slack: nobody waits for them.
            EventStage("knowledge", topics.KNOWLEDGE, KnowledgeDocument, index, lane="batch"),
        ),
        lifespan=lifespan,
        ready={"knowledge": knowledge.check},
    )


def _points(settings: Settings, spec: ModelSpec, dimensions: Callable[[], int]) -> Points:
    # Vectors of two models cannot be compared: each model has an index of its own.
    collection = f"headrace-{spec.name}"
    if not settings.qdrant_url:
        return EdgePoints(data_dir() / "qdrant" / collection, dimensions=dimensions)
    from services.grounding.adapters.server import ServerPoints  # 60 MB and seconds, only for a server

    return ServerPoints.at(
        settings.qdrant_url,
        collection,
        dimensions=dimensions,
        api_key=settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None,
        timeout_seconds=settings.qdrant_timeout_seconds,
    )


if __name__ == "__main__":
    from headrace.runtime.run import run

    run(build_app(Settings()))
