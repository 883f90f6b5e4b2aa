"""Which turns somebody asked to stop. Every process reads every cancellation."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

# A cancellation matters while its turn is on the way; this many are remembered.
REMEMBERED = 50_000


class TurnCancellation:
    """Whether one turn was asked to stop, or one attempt at it."""

    def __init__(self) -> None:
        self._turn = asyncio.Event()
        self._stopped_attempt = 0
        self._changed = asyncio.Event()

    @property
    def requested(self) -> bool:
        """True from the moment that the request was read: nobody wants this turn's answer any more."""
        return self._turn.is_set()

    async def wait(self) -> None:
        """Return when the turn is to stop."""
        await self._turn.wait()

    def stopped(self, attempt: int) -> bool:
        """Whether this attempt was told that no more of its text will be shown; a later one starts afresh."""
        return attempt <= self._stopped_attempt

    async def wait_stopped(self, attempt: int) -> None:
        """Return when no more of this attempt's text will be shown."""
        while not self.stopped(attempt):
            await self._changed.wait()

    def request(self, attempt: int = 0) -> None:
        """Wake whoever waits: for the turn, or for one attempt at it."""
        if not attempt:
            self._turn.set()
        elif attempt > self._stopped_attempt:
            self._stopped_attempt = attempt
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()


class Cancellations:
    """All of them, bounded."""

    def __init__(self) -> None:
        # By turn: whether the whole of it was cancelled, and the last attempt that was stopped.
        self._requested: OrderedDict[str, tuple[bool, int]] = OrderedDict()
        self._watched: WeakValueDictionary[str, TurnCancellation] = WeakValueDictionary()

    def of(self, turn_id: str) -> TurnCancellation:
        """The cancellation of a turn, requested or not."""
        cancellation = self._watched.get(turn_id)
        if cancellation is None:
            cancellation = TurnCancellation()
            self._watched[turn_id] = cancellation
            whole, attempt = self._requested.get(turn_id, (False, 0))
            if whole:
                cancellation.request()
            if attempt:
                cancellation.request(attempt)
        return cancellation

    def request(self, turn_id: str, attempt: int = 0) -> None:
        """Stop a turn, or only one attempt at it."""
        whole, stopped = self._requested.get(turn_id, (False, 0))
        self._requested[turn_id] = (whole or not attempt, max(stopped, attempt))
        self._requested.move_to_end(turn_id)
        if len(self._requested) > REMEMBERED:
            self._requested.popitem(last=False)
        if cancellation := self._watched.get(turn_id):
            cancellation.request(attempt)
