"""Partitions that other gateways own, read here for clients that came back: from where their turn begins."""

import asyncio
from contextlib import aclosing, suppress
from typing import Final

import structlog

from services.gateway.domain.places import Offsets, Place
from services.gateway.handlers.reading import RECONNECT_S, Feed, PartitionReader
from services.gateway.ports import ReplyTail

log = structlog.get_logger()

# Who comes back within this time is served by one reading.
_GATHER_S: Final = 0.05
_LONGEST_S: Final = 60.0


class Replays:
    """One reader for each partition that a turn here needs, for as long as one does."""

    def __init__(self, tail: ReplyTail, feed: Feed) -> None:
        self._tail = tail
        self._feed = feed
        self._replays: dict[int, _Replay] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def join(self, turn_id: str, place: Place) -> None:
        """Read what the log has of this turn and will have."""
        replay = self._replays.get(place.partition)
        if replay is None:
            replay = self._replays[place.partition] = _Replay(self._tail, place, self._feed)
        replay.join(turn_id, place.start)

    def leave(self, turn_id: str) -> None:
        """The turn needs no reader any more."""
        for partition, replay in list(self._replays.items()):
            replay.needed.discard(turn_id)
            if not replay.needed:
                task = asyncio.create_task(self._replays.pop(partition).stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)

    @property
    def turns(self) -> int:
        """How many turns are read."""
        return sum(len(replay.needed) for replay in self._replays.values())

    async def stop(self) -> None:
        """Stop all readers."""
        replays = [*self._replays.values()]
        self._replays.clear()
        await asyncio.gather(*(replay.stop() for replay in replays), *self._stopping)


class _Replay:
    """A partition: a reader that never goes back, so that nobody waits for a newcomer, and what newcomers missed."""

    def __init__(self, tail: ReplyTail, place: Place, feed: Feed) -> None:
        self.needed: set[str] = set()
        self._tail = tail
        self._partition = place.partition
        self._feed = feed
        self._reader = PartitionReader(tail, place.partition, feed, place.start)
        self._reader.start()
        self._missed: Offsets | None = None
        self._catching_up: asyncio.Task[None] | None = None

    def join(self, turn_id: str, start: Offsets) -> None:
        """Make sure that this turn's beginning is read. Reading again is harmless: the logs drop what they have."""
        self.needed.add(turn_id)
        if self._reader.position is None or self._reader.position.reaches(start):
            return
        self._miss(start)
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up(), name=f"catching-up-{self._partition}")

    async def stop(self) -> None:
        """Stop reading."""
        if self._catching_up is not None:
            self._catching_up.cancel()
            with suppress(asyncio.CancelledError):
                await self._catching_up
        await self._reader.stop()

    def _miss(self, start: Offsets) -> None:
        self._missed = self._missed.earlier(start) if self._missed else start

    async def _catch_up(self) -> None:
        while self._missed is not None:
            await asyncio.sleep(_GATHER_S)
            start, self._missed = self._missed, None
            try:
                async with asyncio.timeout(_LONGEST_S):
                    await self._read(start)
            except Exception as exc:  # noqa: BLE001 - whatever the broker's client raises, it is read in the end
                log.warning("a turn cannot be read again yet", partition=self._partition, error=type(exc).__name__)
                self._miss(start)
                await asyncio.sleep(RECONNECT_S)

    async def _read(self, start: Offsets) -> None:
        """From `start` to where the reader is now."""
        here = self._reader.position
        if here is None or here.reaches(start):
            return
        async with aclosing(self._tail.follow(self._partition, start, lambda _: None)) as replies:
            async for reply in replies:
                self._feed(reply.turn_id, reply.content)
                if here.reaches(reply.position):
                    return
