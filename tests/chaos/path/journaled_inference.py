"""Inference as it ships, with a witness: which turns its engines were asked for, and when a result became final.

The service is composed by its own `build_app`; its engines are wrapped, and the one method of its ledger that makes a
result final, so the shipped code knows nothing of it. The journal is the file that `CHAOS_JOURNAL` names.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from headrace.models.spec import ModelSpec
from headrace.runtime.run import run
from headrace.runtime.service import Service
from services.inference.adapters.ledger import RedisLedger
from services.inference.adapters.local_models import LocalModels
from services.inference.app import build_app
from services.inference.ports import (
    Chunk,
    EmbedRequest,
    Engine,
    GenerationRequest,
    Models,
    Record,
    ScoreRequest,
    Scores,
    Vectors,
)
from services.inference.settings import Settings
from tests.chaos.path.journal import Journal

JOURNAL: Final = "CHAOS_JOURNAL"


class WitnessedEngine:
    """An engine whose every request is written down first."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    @property
    def name(self) -> str:
        return self._engine.name

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        self._journal.write("generated", request.request_id)
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def score(self, request: ScoreRequest) -> Scores:
        self._journal.write("generated", request.request_id)
        return await self._engine.score(request)

    async def embed(self, request: EmbedRequest) -> Vectors:
        return await self._engine.embed(request)

    async def cancel(self, request_id: str) -> None:
        await self._engine.cancel(request_id)


class WitnessedModels:
    """Models that hand out witnessed engines."""

    def __init__(self, models: Models, journal: Journal) -> None:
        self._models = models
        self._journal = journal

    async def engine(self, spec: ModelSpec) -> Engine:
        return WitnessedEngine(await self._models.engine(spec), self._journal)

    async def check(self) -> None:
        await self._models.check()


def witness_commits(journal: Journal) -> None:
    """Write down, from now on, every result that a ledger of this process has made final."""
    commit = RedisLedger.commit

    async def witnessed(self: RedisLedger, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        committed = await commit(self, tenant, turn_id, attempt, record)
        if committed:
            journal.write("committed", turn_id, attempt)
        return committed

    # On the class: how a ledger is built stays the composition root's own business.
    RedisLedger.commit = witnessed  # type: ignore[method-assign]  # a witness in front of the method, for one process


def build_witnessed(settings: Settings, journal: Journal) -> Service:
    """The service with its engines in child processes: no cluster to start with every process that is killed."""
    witness_commits(journal)
    models = LocalModels()
    service = build_app(settings, models=WitnessedModels(models, journal))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        # Whoever hands `build_app` its models closes them.
        async with service.lifespan():
            yield
        await models.close()

    return replace(service, lifespan=lifespan)


if __name__ == "__main__":
    run(build_witnessed(Settings(), Journal(Path(os.environ[JOURNAL]))))
