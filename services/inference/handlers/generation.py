"""Asking the engine: an answer as a stream, or probabilities of labels, into the turn's section as they come."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext
from headrace.messaging.errors import Invalid, Retryable
from headrace.models.registry import Registry
from headrace.models.spec import ModelSpec
from headrace.v1.turns_pb2 import Inference, LabelScore, Turn
from services.inference.domain.admission import Priority
from services.inference.domain.constraint import Constraint
from services.inference.domain.fingerprint import Shape
from services.inference.handlers.deltas import DeltaStream, coalesced
from services.inference.handlers.form import Form
from services.inference.handlers.model_time import ModelTime
from services.inference.handlers.translation import constraint_of, logprobs_to, section_for, shape_of
from services.inference.ports import Chat, Engine, GenerationRequest, Models, ScoreRequest, TooLate

log = structlog.get_logger()

# What the model is told of an answer that the grammar let pass and the schema does not.
_AGAIN: Final = "That does not fit the schema: {problem}. Answer again, with JSON that fits it and nothing else."


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

    def __init__(self, registry: Registry, models: Models, clock: Clock, *, linger_ms: int) -> None:
        self._registry = registry
        self._models = models
        self._clock = clock
        self._linger_s = linger_ms / 1000

    async def run(self, job: Job, shape: Shape) -> None:
        """Answer or classify, on the engine of the job's model or of its fallback; `TooLate` at the deadline."""
        try:
            await self._run(job, job.spec, shape)
        except TooLate:
            raise
        except Retryable as exc:
            # Of an answer that has begun another model would say something else.
            if job.spec.fallback is None or job.section.text:
                raise
            other = self._registry.get(job.spec.fallback)
            log.warning("another model answers", model=job.spec.name, fallback=other.name, reason=str(exc))
            section_for(job.section, other, in_place_of=job.spec.name)
            try:
                await self._run(job, other, shape_of(job.turn, other))
            except Invalid:
                # What the other one cannot take is no fault of whoever asked for the first.
                raise exc from None

    async def _run(self, job: Job, spec: ModelSpec, shape: Shape) -> None:
        engine = await self._models.engine(spec)
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
        constraint = constraint_of(job.turn)
        if constraint is None:
            await self._write(engine, job, stream, shape)
            return
        form = Form(constraint)
        await self._write(engine, job, stream if form.followed else None, shape, constraint)
        if problem := _problem(job, form):
            if form.followed:
                raise _unmet(job, problem)
            again = (*shape.messages, ("assistant", job.section.text), ("user", _AGAIN.format(problem=problem)))
            job.section.text = ""
            del job.section.logprobs[:]
            await self._write(engine, job, None, replace(shape, messages=again), constraint)
            if problem := _problem(job, form):
                raise _unmet(job, problem)
        if not form.followed:
            await stream.replay(job.section.text)

    async def _write(
        self,
        engine: Engine,
        job: Job,
        stream: DeltaStream | None,
        shape: Shape,
        constraint: Constraint | None = None,
    ) -> None:
        """One answer of the model, into the section and, if there is one, the stream."""
        section = job.section
        asked = _now()
        before = section.usage.prompt_tokens, section.usage.completion_tokens, section.duration_ms
        request = GenerationRequest(
            job.turn.turn_id, Chat(shape.messages), shape.sampling, job.priority, job.deadline_ms, constraint
        )
        async with aclosing(coalesced(engine.generate(request), self._linger_s)) as chunks:
            async for chunk in chunks:
                job.time.begin(_now())
                if chunk.text and not section.time_to_first_token_ms:
                    section.time_to_first_token_ms = (_now() - asked) * 1000
                section.text += chunk.text
                section.logprobs.extend(logprobs_to(chunk.logprobs))
                section.usage.prompt_tokens = before[0] + chunk.prompt_tokens
                section.usage.completion_tokens = before[1] + chunk.completion_tokens
                section.duration_ms = before[2] + (_now() - asked) * 1000
                section.finish_reason = chunk.finish_reason or ""
                if chunk.text and stream is not None:
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


def _problem(job: Job, form: Form) -> str:
    """What is wrong with a whole answer; one that was cut at its length says so itself."""
    return form.problem(job.section.text) if job.section.finish_reason == "stop" else ""


def _unmet(job: Job, problem: str) -> Invalid:
    return Invalid(
        f"model {job.spec.name} did not find an answer that fits the schema: {problem}. Relax the schema, or name a "
        "larger model",
        code="schema_not_met",
        field="response_format.json_schema",
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
