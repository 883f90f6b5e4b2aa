"""Texts to vectors: no ledger and no cache, since making them again costs milliseconds and gives the same."""

import asyncio

import numpy as np

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext, StageResult
from headrace.models.registry import Registry
from headrace.models.spec import ModelSpec
from headrace.v1.responses_pb2 import Embedding
from headrace.v1.turns_pb2 import Inference, Turn
from services.inference.handlers.claims import Hold
from services.inference.handlers.endings import ending, result
from services.inference.handlers.generation import priority_of
from services.inference.handlers.interruption import Ended, interruptible
from services.inference.handlers.observation import observe
from services.inference.handlers.translation import section_of
from services.inference.ports import EmbedRequest, Models, TooLate

# Nothing is shown before all is there, so that one attempt is as good as another.
_ATTEMPT = 1


class Embeddings:
    """Runs the texts of a turn through its model."""

    def __init__(self, registry: Registry, models: Models, clock: Clock) -> None:
        self._registry = registry
        self._models = models
        self._clock = clock

    async def turn(self, turn: Turn, context: StageContext) -> StageResult:
        """A vector for each text, or the end of the turn where nobody waits any more."""
        spec = self._registry.get(turn.prepared.model, task="embed")
        section = section_of(spec, _ATTEMPT)
        try:
            ended = await interruptible(self._fill(section, turn, spec, context), context, Hold(_ATTEMPT), self._clock)
        except TooLate:
            ended = Ended.EXPIRED
        status, _ = ending(ended, section)
        observe(section, spec)
        return result(section, status)

    async def _fill(self, section: Inference, turn: Turn, spec: ModelSpec, context: StageContext) -> None:
        began = asyncio.get_running_loop().time()
        engine = await self._models.engine(spec)
        section.engine = engine.name
        request = EmbedRequest(turn.turn_id, tuple(turn.prepared.input), priority_of(context), context.deadline_ms)
        vectors = await engine.embed(request)
        rows = np.frombuffer(vectors.packed, "<f4").reshape(vectors.count, -1)
        section.embeddings.extend(Embedding(values=row.tolist()) for row in rows)
        section.usage.prompt_tokens = vectors.tokens
        section.duration_ms = (asyncio.get_running_loop().time() - began) * 1000
        section.finish_reason = "stop"
