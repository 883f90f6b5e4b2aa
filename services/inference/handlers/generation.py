"""Asking the engine: an answer as a stream, or probabilities of labels, into the turn's section as they come."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext
from headrace.models.spec import ModelSpec
from headrace.v1.turns_pb2 import Inference, LabelScore, Turn
from services.inference.domain.admission import Priority
from services.inference.domain.fingerprint import Shape
from services.inference.handlers.deltas import DeltaStream, coalesced
from services.inference.handlers.model_time import ModelTime
from services.inference.ports import Chat, Engine, GenerationRequest, Models, ScoreRequest, TooLate


@dataclass(frozen=True, slots=True)
class Job:
    """A turn at work: its section fills while it goes; a classification has no stream."""

    turn: Turn
    spec: ModelSpec
    section: Inference
    stream: DeltaStream | None
    deadline_ms: int = 0
    priority: Priority = "interactive"
    time: ModelTime = field(default_factory=ModelTime)


def priority_of(context: StageContext) -> Priority:
    """The lane's place at the model: whoever waits for an answer goes before what is worked off."""
    return "batch" if context.lane == "batch" else "interactive"


class Generation:
    """Runs one shape on its model; stopped in the middle, the section holds what was there by then."""

    def __init__(self, models: Models, clock: Clock, *, linger_ms: int) -> None:
        self._models = models
        self._clock = clock
        self._linger_s = linger_ms / 1000

    async def run(self, job: Job, shape: Shape) -> None:
        """Answer or classify, on the engine of the job's model; `TooLate` where the deadline came first."""
        engine = await self._models.engine(job.spec)
        # A cache's maker or a model that had to load may have taken all the time there was.
        if 0 < job.deadline_ms <= self._clock.now_ms():
            raise TooLate("the deadline passed before the model was asked")
        job.section.engine = engine.name
        try:
            if job.stream is None:
                await self._classify(engine, job, shape)
            else:
                await self._answer(engine, job, job.stream, shape)
        finally:
            job.time.end(_now())

    async def _answer(self, engine: Engine, job: Job, stream: DeltaStream, shape: Shape) -> None:
        section = job.section
        asked = _now()
        request = GenerationRequest(
            job.turn.turn_id, Chat(shape.messages), shape.sampling, job.priority, job.deadline_ms
        )
        async with aclosing(coalesced(engine.generate(request), self._linger_s)) as chunks:
            async for chunk in chunks:
                job.time.begin(_now())
                if chunk.text and not section.time_to_first_token_ms:
                    section.time_to_first_token_ms = (_now() - asked) * 1000
                section.text += chunk.text
                section.usage.prompt_tokens = chunk.prompt_tokens
                section.usage.completion_tokens = chunk.completion_tokens
                section.duration_ms = (_now() - asked) * 1000
                section.finish_reason = chunk.finish_reason or ""
                if chunk.text:
                    await stream.send(chunk.text)

    async def _classify(self, engine: Engine, job: Job, shape: Shape) -> None:
        section = job.section
        asked = _now()
        request = ScoreRequest(job.turn.turn_id, Chat(shape.messages), shape.labels, job.priority, job.deadline_ms)
        scores = await engine.score(request)
        job.time.begin(_now() - scores.work_ms / 1000)
        section.usage.prompt_tokens = scores.prompt_tokens
        section.duration_ms = (_now() - asked) * 1000
        section.finish_reason = "stop"
        pairs = zip(shape.labels, scores.probabilities, strict=True)
        section.scores.extend(LabelScore(label=label, score=score) for label, score in pairs)


def _now() -> float:
    return asyncio.get_running_loop().time()
