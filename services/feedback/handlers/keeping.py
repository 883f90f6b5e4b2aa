"""From feedback and completed turns to the store."""

from collections.abc import Sequence

import structlog

from headrace.messaging.contract import Outgoing, StageContext
from headrace.messaging.errors import Invalid
from headrace.telemetry import metrics
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.turns_pb2 import Turn
from services.feedback.adapters import wire
from services.feedback.domain.feedback import Limits, check, rating_name
from services.feedback.ports import Store

log = structlog.get_logger()

_SWEEP_EVERY_MS = 3_600_000


class Keeping:
    """Keeps both sides of the join, and forgets what is too old."""

    def __init__(self, store: Store, limits: Limits, *, retention_ms: int) -> None:
        self._store = store
        self._limits = limits
        self._retention_ms = retention_ms
        self._swept_ms = 0

    async def feedback(self, submitted: FeedbackSubmitted | None, context: StageContext) -> Sequence[Outgoing]:
        """Keep what a person said; what is not feedback becomes a dead letter."""
        if submitted is None:
            return ()
        feedback = wire.feedback_of(submitted, context.tenant, context.now_ms)
        if rejected := check(feedback, self._limits):
            raise Invalid(rejected.message, code=rejected.code, field=rejected.field)
        await self._store.keep_feedback(feedback, context.position)
        metrics.FEEDBACK.labels(rating_name(feedback)).inc()
        log.info("feedback kept", turn_id=feedback.turn_id, rating=feedback.rating, scale=feedback.scale)
        return ()

    async def turn(self, turn: Turn | None, context: StageContext) -> Sequence[Outgoing]:
        """Keep how an answer came about. Reviews are not kept: nobody rates them, and there are millions."""
        if turn is None or turn.WhichOneof("request") != "prompt":
            return ()
        await self._store.keep_turn(wire.completed_of(turn, context.now_ms), context.position)
        await self._sweep(context.now_ms)
        return ()

    async def _sweep(self, now_ms: int) -> None:
        # With the work rather than by a timer: without turns nothing grows.
        if now_ms - self._swept_ms < _SWEEP_EVERY_MS:
            return
        self._swept_ms = now_ms
        gone = await self._store.forget_before(now_ms - self._retention_ms)
        if gone:
            log.info("old rows forgotten", rows=gone)
