"""Composition root of grounding."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Final

from headrace.documents.conversion import Conversion
from headrace.documents.limits import Limits
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
from services.grounding.adapters.points import DENSE, STRONG, Points
from services.grounding.adapters.template import fill
from services.grounding.adapters.tokenizers import RegistryTokenizers
from services.grounding.domain.documents import Sizes
from services.grounding.domain.ranking import Weights
from services.grounding.handlers.documents import IndexKnowledge, Reading
from services.grounding.handlers.turns import GroundTurn, RetrievalPolicy
from services.grounding.ports import Embeddings, Knowledge, Tokenizers
from services.grounding.settings import Settings

# Raise it when a point's vectors change.
_LAYOUT: Final = "2"


def build_app(
    settings: Settings,
    *,
    knowledge: Knowledge | None = None,
    embeddings: Embeddings | None = None,
    rescoring: Embeddings | None = None,
    memory: ConversationMemory | None = None,
    tokenizers: Tokenizers | None = None,
) -> Service:
    """The service with its real parts, or with those that are given."""
    registry = load_registry(infra_dir() / "models")
    spec = registry.get(settings.embedding_model)
    embeddings = embeddings or ModelEmbeddings(spec, threads=settings.embedding_threads)
    specs = [spec]
    if settings.rescoring_model:
        specs.append(registry.get(settings.rescoring_model))
        rescoring = rescoring or ModelEmbeddings(specs[-1], threads=settings.embedding_threads)

    def dimensions() -> dict[str, int]:
        return {DENSE: embeddings.dimensions} | ({STRONG: rescoring.dimensions} if rescoring else {})

    knowledge = knowledge or PointKnowledge(_points(settings, specs, dimensions))
    redis = connect(settings.redis_url)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        try:
            async with embeddings, rescoring or nullcontext(), knowledge:
                yield
        finally:
            await redis.aclose()

    ground = GroundTurn(
        knowledge=knowledge,
        embeddings=embeddings,
        rescoring=rescoring,
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
            weights=Weights(meaning=settings.meaning_weight, support=settings.support_weight),
        ),
    )
    index = IndexKnowledge(
        knowledge=knowledge,
        embeddings=embeddings,
        rescoring=rescoring,
        reading=Reading(
            Conversion(Limits(text_bytes=settings.max_document_bytes)),
            parse,
            settings.chunk_tokens,
            Sizes(settings.max_document_bytes, settings.max_file_bytes),
        ),
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


def _points(settings: Settings, specs: Sequence[ModelSpec], dimensions: Callable[[], Mapping[str, int]]) -> Points:
    # Vectors of two models cannot be compared, and a collection's vectors are told when it is made.
    collection = "-".join(("headrace", _LAYOUT, *(spec.name for spec in specs)))
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
