"""Asking the engine: an answer as a stream, or probabilities of labels, into the turn's section as they come."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from headrace.models.spec import ModelSpec
from headrace.v1.turns_pb2 import Inference, LabelScore, Turn
from services.inference.domain.fingerprint import Shape
from services.inference.handlers.deltas import DeltaStream, coalesced
from services.inference.ports import Chat, Engine, GenerationRequest, Models, ScoreRequest


@dataclass(frozen=True, slots=True)
class Job:
    """A turn at work: its section fills while it goes; a classification has no stream."""

    turn: Turn
    spec: ModelSpec
    section: Inference
    stream: DeltaStream | None


class Generation:
    """Runs one shape on its model; stopped in the middle, the section holds what was there by then."""

    def __init__(self, models: Models, *, linger_ms: int) -> None:
        self._models = models
        self._linger_s = linger_ms / 1000

    async def run(self, job: Job, shape: Shape) -> None:
        """Answer or classify, on the engine of the job's model."""
        engine = await self._models.engine(job.spec)
        job.section.engine = engine.name
        if job.stream is None:
            await self._classify(engine, job, shape)
        else:
            await self._answer(engine, job, job.stream, shape)

    async def _answer(self, engine: Engine, job: Job, stream: DeltaStream, shape: Shape) -> None:
        clock = asyncio.get_running_loop().time
        section = job.section
        started = clock()
        request = GenerationRequest(job.turn.turn_id, Chat(shape.messages), shape.sampling)
        async with aclosing(coalesced(engine.generate(request), self._linger_s)) as chunks:
            async for chunk in chunks:
                if not section.time_to_first_token_ms:
                    section.time_to_first_token_ms = (clock() - started) * 1000
                section.text += chunk.text
                section.usage.prompt_tokens = chunk.prompt_tokens
                section.usage.completion_tokens = chunk.completion_tokens
                section.duration_ms = (clock() - started) * 1000
                section.finish_reason = chunk.finish_reason or ""
                if chunk.text:
                    await stream.send(chunk.text)

    async def _classify(self, engine: Engine, job: Job, shape: Shape) -> None:
        clock = asyncio.get_running_loop().time
        section = job.section
        started = clock()
        scores = await engine.score(ScoreRequest(job.turn.turn_id, Chat(shape.messages), shape.labels))
        section.usage.prompt_tokens = scores.prompt_tokens
        section.duration_ms = (clock() - started) * 1000
        section.finish_reason = "stop"
        pairs = zip(shape.labels, scores.probabilities, strict=True)
        section.scores.extend(LabelScore(label=label, score=score) for label, score in pairs)
