"""The turns that this gateway holds: their logs, who waits for them, and when waiting ends."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from time import monotonic

import structlog

from headrace.messaging.errors import Invalid
from services.gateway.domain.answers import Answer, Piece
from services.gateway.domain.shelf import Shelf
from services.gateway.domain.turn_log import Cursor, Event, Taken, TurnLog
from services.gateway.domain.weight import weight
from services.gateway.handlers.watching import Watch

log = structlog.get_logger()

# Of a turn's own time: how long its end may take to get here.
_PATIENCE = 1.05

# Bytes of a finished turn beside its log: what it is found by and what its readers wait for.
_OVERHEAD = 1024


class HeldTurn:
    """One turn's log and everybody who reads it."""

    def __init__(self, turn_id: str, watch: Watch) -> None:
        self.turn_id = turn_id
        self.log = TurnLog()
        self.watch = watch
        self.followers = 0
        # Asked by another gateway (or before a restart) and only read here.
        self.adopted = False
        # Done when Kafka has the prompt; fails with whatever kept it from there.
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._abandoned = False
        # Made by the first who waits: most of what is held is finished, and nobody waits for that.
        self._changed: asyncio.Event | None = None

    async def follow(self, cursor: Cursor) -> AsyncIterator[Event]:
        """What comes after the cursor, as it comes, to the end. Raises `Invalid` where no end came in time."""
        while not cursor.ended:
            events, cursor = self.log.read(cursor)
            for event in events:
                yield event
            if self._abandoned and not cursor.ended:
                raise Invalid("no answer came in time: ask again", code="no_answer")
            if not events:
                self._changed = self._changed or asyncio.Event()
                await self._changed.wait()

    def wake(self) -> None:
        """Let every reader look again."""
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()

    def abandon(self) -> None:
        """Stop waiting for this turn's end."""
        self._abandoned = True
        self.wake()


class Turns:
    """All held turns. Finished ones stay at hand as long as the shelf takes them."""

    def __init__(self, *, shelf: Shelf, stragglers_s: float, wait_s: float) -> None:
        self._shelf = shelf
        self._stragglers_s = stragglers_s
        self._wait_s = wait_s
        self._held: dict[str, HeldTurn] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ended: list[Callable[[str], None]] = []
        self._replied: list[Callable[[HeldTurn], None]] = []

    def on_end(self, ended: Callable[[str], None]) -> None:
        """Call this with the id of every turn that ends, is given up or is dropped."""
        self._ended.append(ended)

    def on_reply(self, replied: Callable[[HeldTurn], None]) -> None:
        """Call this with every turn that a reply came for, before it ends by it."""
        self._replied.append(replied)

    def get(self, turn_id: str) -> HeldTurn | None:
        """The turn, if it is held here."""
        self._shelf.touch(turn_id)
        return self._held.get(turn_id)

    def hold(self, turn_id: str, timeout_s: float | None = None) -> HeldTurn:
        """Hold a turn from now on, until its own time is over: normally its end has come from the path by then."""
        turn = HeldTurn(turn_id, Watch(monotonic(), None))
        self._held[turn_id] = turn
        self._arm(turn, min(self._wait_s, (timeout_s or math.inf) * _PATIENCE), self._give_up)
        return turn

    def drop(self, turn: HeldTurn) -> None:
        """Forget a turn that nobody reads any more, or that was never asked."""
        turn.watch.give_up("dropped")
        self._forget(turn)

    def feed(self, turn_id: str, content: Piece | Answer | None) -> None:
        """Take what a reply partition says; turns that are not held are somebody else's."""
        turn = self._held.get(turn_id)
        if turn is None or content is None:
            return
        was_closed = turn.log.closed
        if isinstance(content, Piece):
            if turn.log.add(content) is Taken.UNJUDGED:
                log.error("a delta without a verdict was refused", turn_id=turn_id, seq=content.seq)
            elif turn.log.has_text:
                turn.watch.first_text(monotonic())
        elif turn.log.complete(content) is Taken.ADDED and turn.log.awaits_deltas:
            self._arm(turn, self._stragglers_s, self._cut_short)
        for replied in self._replied:
            replied(turn)
        if turn.log.closed and not was_closed:
            self._close(turn)
        turn.wake()

    def close(self) -> None:
        """Stop all timers and end the spans of what is still open."""
        for turn in [turn for turn in self._held.values() if not turn.log.closed]:
            self.drop(turn)

    def _cut_short(self, turn: HeldTurn) -> None:
        if not turn.log.closed:
            log.warning("deltas are missing, the final's text stands in", turn_id=turn.turn_id)
            turn.log.cut_short()
            self._close(turn)
            turn.wake()

    def _give_up(self, turn: HeldTurn) -> None:
        log.error("no final came in time", turn_id=turn.turn_id)
        turn.watch.give_up("no_answer")
        self._forget(turn)

    def _close(self, turn: HeldTurn) -> None:
        if turn.log.answer is not None:
            turn.watch.done(turn.log.answer, monotonic())
        self._disarm(turn.turn_id)
        for gone in self._shelf.put(turn.turn_id, weight(turn.log) + _OVERHEAD):
            self._held.pop(gone, None)
        self._tell(turn.turn_id)

    def _forget(self, turn: HeldTurn) -> None:
        if self._held.get(turn.turn_id) is turn:
            del self._held[turn.turn_id]
        self._disarm(turn.turn_id)
        self._tell(turn.turn_id)
        turn.abandon()

    def _tell(self, turn_id: str) -> None:
        for ended in self._ended:
            ended(turn_id)

    def _arm(self, turn: HeldTurn, delay_s: float, then: Callable[[HeldTurn], None]) -> None:
        self._disarm(turn.turn_id)
        self._timers[turn.turn_id] = asyncio.get_running_loop().call_later(delay_s, then, turn)

    def _disarm(self, turn_id: str) -> None:
        if timer := self._timers.pop(turn_id, None):
            timer.cancel()
