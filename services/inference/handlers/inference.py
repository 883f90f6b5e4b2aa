"""The handler of turns that wait for a model: one result per turn, however often the turn is delivered."""

import asyncio

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext, StageResult
from headrace.messaging.errors import Retryable
from headrace.models.registry import Registry
from headrace.stores.answers import AnswerKey
from headrace.v1.turns_pb2 import Inference, Turn
from services.inference.domain.fingerprint import fingerprint
from services.inference.domain.patience import patience_s
from services.inference.handlers.answers import Answers
from services.inference.handlers.claims import Claims, Hold
from services.inference.handlers.deltas import DeltaStream
from services.inference.handlers.endings import ending, result
from services.inference.handlers.generation import Generation, Job, priority_of
from services.inference.handlers.interruption import Ended, interruptible
from services.inference.handlers.model_time import Cause, count_wasted
from services.inference.handlers.observation import observe
from services.inference.handlers.translation import section_of, shape_of, stream_context
from services.inference.ports import Record, TooLate


class Inferring:
    """Chats are streamed while they are generated; classifications are scored."""

    def __init__(
        self,
        registry: Registry,
        generation: Generation,
        claims: Claims,
        answers: Answers,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._generation = generation
        self._claims = claims
        self._answers = answers
        self._clock = clock

    async def turn(self, turn: Turn, context: StageContext) -> StageResult:
        """The turn's result: the committed one, a cached one, or a new one."""
        spec = self._registry.get(turn.prepared.model, task=("chat", "classify") if turn.prepared.labels else "chat")
        left_ms = context.deadline_ms - self._clock.now_ms() if context.deadline_ms else None
        async with self._claims.hold(turn, patience_s(priority_of(context), left_ms)) as hold:
            stream = None if turn.prepared.labels else _stream(turn, context, hold)
            if hold.committed is None:
                job = Job(turn, spec, section_of(spec, hold.attempt), stream, context.deadline_ms, priority_of(context))
                record = await self._make(job, context, hold)
            else:
                record = hold.committed
                if stream is not None:
                    await stream.replay(Inference.FromString(record.section).text)
            section = Inference.FromString(record.section)
            if stream is not None:
                await stream.finish(section.text, section.finish_reason)
            return result(section, record.status)

    async def _make(self, job: Job, context: StageContext, hold: Hold) -> Record:
        """The turn's result, final once it is returned."""
        try:
            ended = await interruptible(self._fill(job), context, hold, self._clock)
        except TooLate:
            ended = Ended.EXPIRED
        except BaseException as exc:
            cause: Cause = "superseded" if isinstance(exc, asyncio.CancelledError) else "failed"
            count_wasted(job.spec.name, cause, job.time.worked)
            raise
        status, cause_of_end = ending(ended, job.section)
        record = Record(job.section.SerializeToString(), status)
        if ended is Ended.LOST or not await self._claims.commit(job.turn, hold, record):
            count_wasted(job.spec.name, "superseded", job.time.worked)
            raise Retryable("a later attempt has taken this turn over")
        if cause_of_end:
            count_wasted(job.spec.name, cause_of_end, job.time.worked)
        observe(job.section, job.spec)
        return record

    async def _fill(self, job: Job) -> None:
        shape = shape_of(job.turn, job.spec)
        answer = AnswerKey(shape.tenant, shape.model, fingerprint(shape)) if job.turn.prepared.cacheable else None
        async with self._answers.place(answer) as place:
            if place.found is None:
                await self._generation.run(job, shape)
                # The fingerprint names the model that was asked for.
                place.made = None if job.section.in_place_of else job.section.SerializeToString()
                return
        _adopt(job.section, Inference.FromString(place.found))
        if job.stream is not None:
            await job.stream.replay(job.section.text)


def _stream(turn: Turn, context: StageContext, hold: Hold) -> DeltaStream:
    return DeltaStream(
        context.publisher, stream_context(turn, hold.attempt, again=hold.again), turn.conversation_id or turn.turn_id
    )


def _adopt(section: Inference, found: Inference) -> None:
    """Take a cached answer over: its words, not its attempt nor its timings."""
    attempt = section.attempt
    section.CopyFrom(found)
    section.attempt = attempt
    section.usage.cached = True
    section.ClearField("time_to_first_token_ms")
    section.ClearField("duration_ms")
