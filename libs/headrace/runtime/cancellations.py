"""Which turns somebody asked to stop. Every process reads every cancellation."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

# A cancellation matters while its turn is on the way; this many are remembered.
REMEMBERED = 50_000


class TurnCancellation:
    """Whether one turn was asked to stop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """True from the moment that the request was read."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when it is requested."""
        await self._event.wait()

    def request(self) -> None:
        """Wake whoever waits."""
        self._event.set()


class Cancellations:
    """All of them, bounded."""

    def __init__(self) -> None:
        self._requested: OrderedDict[str, None] = OrderedDict()
        self._watched: WeakValueDictionary[str, TurnCancellation] = WeakValueDictionary()

    def of(self, turn_id: str) -> TurnCancellation:
        """The cancellation of a turn, requested or not."""
        cancellation = self._watched.get(turn_id)
        if cancellation is None:
            cancellation = TurnCancellation()
            self._watched[turn_id] = cancellation
            if turn_id in self._requested:
                cancellation.request()
        return cancellation

    def request(self, turn_id: str) -> None:
        """Stop a turn."""
        self._requested[turn_id] = None
        self._requested.move_to_end(turn_id)
        if len(self._requested) > REMEMBERED:
            self._requested.popitem(last=False)
        if cancellation := self._watched.get(turn_id):
            cancellation.request()
