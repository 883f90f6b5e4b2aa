"""The ledger as a handler uses it: a turn is held while it is at work; with Redis away it is answered all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import structlog

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Retryable
from headrace.messaging.times import epoch_ms
from headrace.v1.turns_pb2 import Turn
from services.inference.domain.attempts import Attempts
from services.inference.ports import Busy, Claim, Claimed, Committed, Ledger, Record

log = structlog.get_logger()

# How often somebody who waits for a turn looks whether it is done.
_LOOK_SECONDS: Final = 0.25


@dataclass(slots=True)
class Hold:
    """A turn in our hands. `committed` is the result that it has already; `lost` is set when somebody took it over."""

    attempt: int
    committed: Record | None = None
    # Whether the ledger knows of this attempt.
    in_ledger: bool = True
    # Whether an earlier attempt may have been seen.
    again: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Claims:
    """Takes turns from the ledger and keeps their leases."""

    def __init__(self, ledger: Ledger, clock: Clock, *, lease_seconds: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._renew_seconds = lease_seconds / 3
        self._attempts = Attempts()
        self._alone: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, turn: Turn, patience_s: float) -> AsyncIterator[Hold]:
        """Hold the turn; leaving by an error gives it up at once.

        A ledger that says nothing of a turn that may have a result is asked again for `patience_s`.

        A second delivery waits here until the first is through, in this process or in another, and finds its result.
        It needs no deadline of its own: the first ends by the turn's, and its lease if its process does.
        """
        name = (turn.tenant, turn.turn_id)
        alone = self._alone.setdefault(name, asyncio.Lock())
        async with alone:
            match await self._claim(turn, name, patience_s):
                case Committed(record, attempt):
                    yield Hold(attempt, record)
                    return
                case Claimed(attempt, again):
                    hold = Hold(attempt, again=again)
                case None:
                    age_ms = self._age_ms(turn)
                    attempt = self._attempts.without_ledger(name, age_ms)
                    hold = Hold(attempt, in_ledger=False, again=self._attempts.again(name, age_ms))
            self._attempts.note(name, hold.attempt)
            renewing = asyncio.create_task(self._renew(turn, hold))
            try:
                yield hold
            except BaseException:
                # Before it is given up: a renewal that came after would hold it for nobody.
                renewing.cancel()
                if hold.in_ledger:
                    with suppress(Retryable):
                        await self._ledger.release(turn.tenant, turn.turn_id, hold.attempt)
                raise
            finally:
                renewing.cancel()

    async def commit(self, turn: Turn, hold: Hold, record: Record) -> bool:
        """Make the result final; False where a later attempt has taken over, which then has the say."""
        if hold.lost.is_set():
            return False
        try:
            return await self._commit(turn, hold, record)
        except Retryable as exc:
            log.warning("result not in the ledger", turn_id=turn.turn_id, reason=str(exc))
            return True

    async def _commit(self, turn: Turn, hold: Hold, record: Record) -> bool:
        # Also of an attempt that the ledger has not heard of: it may be back, and enters what has no other result.
        try:
            return await self._ledger.commit(turn.tenant, turn.turn_id, hold.attempt, record)
        except Retryable:
            if not hold.in_ledger:
                raise
        # Once more, should it have been a hiccup: what is not entered is generated again after a kill.
        await self._clock.sleep(_LOOK_SECONDS)
        return await self._ledger.commit(turn.tenant, turn.turn_id, hold.attempt, record)

    async def _claim(self, turn: Turn, name: tuple[str, str], patience_s: float) -> Claimed | Committed | None:
        """The turn or its result, once nobody else is at it; None where the ledger cannot be reached."""
        # When it is free to be answered without the ledger.
        free_ms = self._clock.now_ms()
        if self._attempts.again(name, self._age_ms(turn)):
            free_ms += int(patience_s * 1000)
        while True:
            claim: Claim | None = None
            try:
                floor = self._attempts.floor(name, self._age_ms(turn))
                claim = await self._ledger.claim(turn.tenant, turn.turn_id, floor)
            except Retryable as exc:
                # Whoever was seen at work is left to it for as long as its lease was to last.
                if self._clock.now_ms() >= free_ms:
                    log.warning("answering without the ledger", turn_id=turn.turn_id, reason=str(exc))
                    return None
            if claim is not None and not isinstance(claim, Busy):
                return claim
            if claim is not None:
                free_ms = max(free_ms, self._clock.now_ms() + claim.retry_after_ms)
            left = max(0, free_ms - self._clock.now_ms()) / 1000
            await self._clock.sleep(min(_LOOK_SECONDS, left))

    async def _renew(self, turn: Turn, hold: Hold) -> None:
        while True:
            await self._clock.sleep(self._renew_seconds)
            try:
                if not await self._ledger.renew(turn.tenant, turn.turn_id, hold.attempt):
                    hold.lost.set()
                    return
                hold.in_ledger = True
            except Retryable as exc:
                log.warning("lease not renewed", turn_id=turn.turn_id, reason=str(exc))

    def _age_ms(self, turn: Turn) -> int:
        """Since the turn was submitted."""
        return self._clock.now_ms() - epoch_ms(turn.submitted_at) if turn.HasField("submitted_at") else 0
