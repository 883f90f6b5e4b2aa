"""The ledger as a handler uses it: a turn is held while it is at work; with Redis away it is answered all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import assert_never

import structlog

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Retryable
from headrace.v1.turns_pb2 import Turn
from services.inference.ports import Busy, Claimed, Committed, Ledger, Record

log = structlog.get_logger()


@dataclass(slots=True)
class Hold:
    """A turn in our hands. `committed` is the result that it has already; `lost` is set when somebody took it over."""

    attempt: int
    committed: Record | None = None
    # False where the ledger could not be reached: then there is nothing to commit to.
    in_ledger: bool = True
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Claims:
    """Takes turns from the ledger and keeps their leases."""

    def __init__(self, ledger: Ledger, clock: Clock, *, lease_seconds: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._renew_seconds = lease_seconds / 3

    @asynccontextmanager
    async def hold(self, turn: Turn) -> AsyncIterator[Hold]:
        """Hold the turn; `Retryable` while another instance does. Leaving by an error gives it up at once."""
        try:
            claim = await self._ledger.claim(turn.tenant, turn.turn_id)
        except Retryable as exc:
            log.warning("answering without the ledger", turn_id=turn.turn_id, reason=str(exc))
            yield Hold(self._attempt_by_time(turn), in_ledger=False)
            return
        match claim:
            case Busy(retry_after_ms):
                raise Retryable("another instance is at work on this turn", retry_after_ms=retry_after_ms)
            case Committed(record, attempt):
                yield Hold(attempt, record)
            case Claimed(attempt):
                hold = Hold(attempt)
                renewing = asyncio.create_task(self._renew(turn, hold))
                try:
                    yield hold
                except BaseException:
                    with suppress(Retryable):
                        await self._ledger.release(turn.tenant, turn.turn_id, attempt)
                    raise
                finally:
                    renewing.cancel()
            case never:
                assert_never(never)

    async def commit(self, turn: Turn, hold: Hold, record: Record) -> None:
        """Make the result final; `Retryable` where a later attempt has taken over, which then has the say."""
        if not hold.in_ledger:
            return
        try:
            if await self._ledger.commit(turn.tenant, turn.turn_id, hold.attempt, record):
                return
        except Retryable as exc:
            log.warning("result not in the ledger", turn_id=turn.turn_id, reason=str(exc))
            return
        raise Retryable("a later attempt has taken this turn over")

    async def _renew(self, turn: Turn, hold: Hold) -> None:
        while True:
            await self._clock.sleep(self._renew_seconds)
            try:
                if not await self._ledger.renew(turn.tenant, turn.turn_id, hold.attempt):
                    hold.lost.set()
                    return
            except Retryable as exc:
                log.warning("lease not renewed", turn_id=turn.turn_id, reason=str(exc))

    def _attempt_by_time(self, turn: Turn) -> int:
        """Without a ledger, attempts are numbered by the seconds since submission: a later one is higher."""
        submitted_ms = turn.submitted_at.ToMilliseconds() if turn.HasField("submitted_at") else self._clock.now_ms()
        return 1 + max(0, self._clock.now_ms() - submitted_ms) // 1000
