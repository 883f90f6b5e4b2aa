"""Reads a reply partition from a place on, for ever."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress

import structlog

from services.gateway.domain.answers import Answer, Piece
from services.gateway.domain.places import Offsets
from services.gateway.ports import ReplyTail

log = structlog.get_logger()

Feed = Callable[[str, Piece | Answer | None], None]
RECONNECT_S = 1.0


class PartitionReader:
    """Feeds everything that one reply partition says from a place on, over broken connections."""

    def __init__(self, tail: ReplyTail, partition: int, feed: Feed, start: Offsets | None = None) -> None:
        self._tail = tail
        self._partition = partition
        self._feed = feed
        # Where to go on; None: at the end, which is known as soon as the broker was reached.
        self.position = start
        self.problem = "the replies are not read yet"
        self._begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run(), name=f"replies-{self._partition}")

    async def begun(self) -> None:
        """Return when the broker was reached: what is asked after this is answered after the position."""
        await self._begun.wait()

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self._read()
            await asyncio.sleep(RECONNECT_S)

    async def _read(self) -> None:
        try:
            async with aclosing(self._tail.follow(self._partition, self.position, self._note)) as replies:
                async for reply in replies:
                    self.position = reply.position
                    self._feed(reply.turn_id, reply.content)
        except Exception as exc:  # noqa: BLE001 - whatever the broker's client raises, reading goes on
            self.problem = f"replies cannot be read: {type(exc).__name__}"
            log.warning("replies cannot be read, trying again", partition=self._partition, error=type(exc).__name__)

    def _note(self, position: Offsets) -> None:
        self.problem = ""
        self.position = position
        self._begun.set()
