"""Where turns lie: by the index, and by the log itself while the index is away."""

import asyncio
from collections import OrderedDict
from contextlib import suppress

import structlog

from headrace.messaging.errors import Retryable
from services.gateway.domain.places import Place
from services.gateway.ports import Known, ReplyTail, TurnIndex

log = structlog.get_logger()

# What could not be confirmed is tried again so often, and of so many turns at most: the latest.
_CONFIRM_AGAIN_S = 1.0
_MAX_UNCONFIRMED = 10_000


class Whereabouts:
    """The turn index, which may be away: slower then, and blind to repeats elsewhere, but never an error."""

    def __init__(self, index: TurnIndex, tail: ReplyTail) -> None:
        self._index = index
        self._tail = tail
        self._searching = asyncio.Lock()
        self._unconfirmed: OrderedDict[str, Place] = OrderedDict()
        self._confirming: asyncio.Task[None] | None = None

    async def claim(self, turn_id: str, place: Place) -> Known | None:
        """Enter a turn that is about to be asked, or return what is there already."""
        try:
            return await self._index.claim(turn_id, place)
        except Retryable as exc:
            log.warning("the turn index cannot be asked: repeats are known to this gateway only", reason=str(exc))
            return None

    async def confirm(self, turn_id: str, place: Place) -> None:
        """Note that Kafka has the prompt, as soon as the index can be reached.

        A claim that arrived and was never confirmed would keep everybody else from the turn until it expires.
        """
        try:
            await self._index.confirm(turn_id, place)
        except Retryable as exc:
            log.warning("the turn is not in the index yet: only this gateway can resume it", reason=str(exc))
            self._unconfirmed[turn_id] = place
            if len(self._unconfirmed) > _MAX_UNCONFIRMED:
                self._unconfirmed.popitem(last=False)
            if self._confirming is None or self._confirming.done():
                self._confirming = asyncio.create_task(self._confirm_later())

    async def stop(self) -> None:
        """Confirm nothing any more."""
        if self._confirming is not None:
            self._confirming.cancel()
            await asyncio.gather(self._confirming, return_exceptions=True)

    async def _confirm_later(self) -> None:
        while self._unconfirmed:
            await asyncio.sleep(_CONFIRM_AGAIN_S)
            with suppress(Retryable):
                while self._unconfirmed:
                    turn_id, place = next(iter(self._unconfirmed.items()))
                    await self._index.confirm(turn_id, place)
                    self._unconfirmed.pop(turn_id, None)

    async def release(self, turn_id: str) -> None:
        """Free an id for the next try."""
        with suppress(Retryable):
            await self._index.release(turn_id)

    async def find(self, turn_id: str) -> Place | None:
        """Where a turn's replies lie; None where nobody knows it."""
        try:
            known = await self._index.find(turn_id)
        except Retryable as exc:
            log.warning("the turn index cannot be asked: searching the replies", reason=str(exc))
            # One search at a time: each reads all recent replies.
            async with self._searching:
                return await self._tail.find(turn_id)
        return known.place if known else None
