"""Who follows a turn, over all gateways, and what happens when nobody does any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog

from headrace.messaging.errors import Retryable
from services.gateway.handlers.turns import HeldTurn
from services.gateway.ports import TurnIndex

log = structlog.get_logger()


class Abandoned(Protocol):
    """Called when nobody came back in time; `elsewhere`: a client of another gateway follows the turn."""

    async def __call__(self, turn: HeldTurn, *, elsewhere: bool) -> None: ...


class Followers:
    """Counts the clients of each turn here, tells the other gateways, and lets an unfollowed turn be cancelled."""

    def __init__(self, index: TurnIndex, gateway: str, abandoned: "Abandoned") -> None:
        self._index = index
        self._gateway = gateway
        self._abandoned = abandoned
        self._entering: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._draining = False

    @asynccontextmanager
    async def following(self, turn: HeldTurn, grace_s: float) -> AsyncIterator[None]:
        """While inside, a client follows the turn; it may come back within `grace_s` of leaving."""
        turn.followers += 1
        if turn.followers == 1 and not turn.log.closed:
            self._entering[turn.turn_id] = asyncio.create_task(self._watch(turn.turn_id))
        try:
            yield
        finally:
            turn.followers -= 1
            self.left(turn, grace_s)

    def left(self, turn: HeldTurn, grace_s: float) -> None:
        """A client has gone: if it was the last, the turn's time begins to run out."""
        entering = self._entering.pop(turn.turn_id, None) if not turn.followers else None
        if turn.followers or turn.log.closed:
            return
        task = asyncio.create_task(self._run_out(turn, entering, grace_s))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def drain(self) -> None:
        """The gateway goes and its clients come back elsewhere: what they asked goes on."""
        self._draining = True

    async def stop(self) -> None:
        """Wait for nobody any more."""
        tasks = [*self._leaving, *self._entering.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_out(self, turn: HeldTurn, entering: "asyncio.Task[None] | None", grace_s: float) -> None:
        if entering is not None:
            await entering
        with suppress(Retryable):
            await self._index.unwatch(turn.turn_id, self._gateway)
        await asyncio.sleep(grace_s)
        if turn.followers or turn.log.closed or self._draining:
            return
        try:
            elsewhere = await self._index.watched(turn.turn_id)
        except Retryable:
            # In doubt the turn runs on to its deadline: somebody may be reading it.
            elsewhere = True
        try:
            await self._abandoned(turn, elsewhere=elsewhere)
        except Retryable as exc:
            log.warning("an unfollowed turn could not be cancelled", turn_id=turn.turn_id, reason=str(exc))

    async def _watch(self, turn_id: str) -> None:
        with suppress(Retryable):
            await self._index.watch(turn_id, self._gateway)
