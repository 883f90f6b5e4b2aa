"""Readers of reply partitions: one for the gateway's own, one more for each that a client came back from."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress

import structlog

from services.gateway.domain.answers import Answer, Piece
from services.gateway.domain.places import Offsets, Place
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
        self._reading: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run(), name=f"replies-{self._partition}")

    async def begun(self) -> None:
        """Return when the broker was reached: what is asked after this is answered after the position."""
        await self._begun.wait()

    def rewind(self, place: Offsets) -> None:
        """Make sure that this place is passed. Reading again is harmless: the logs drop what they have."""
        if self.position is None or self.position.reaches(place):
            return
        self.position = self.position.earlier(place)
        # A reader on its way out would not be closed properly if it were cancelled once more.
        if self._reading is not None and not self._reading.cancelling():
            self._reading.cancel()

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._reading = asyncio.create_task(self._read())
            try:
                await asyncio.wait({self._reading})
            except asyncio.CancelledError:
                self._reading.cancel()
                await asyncio.wait({self._reading})
                raise
            if not self._reading.cancelled():
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


class Replays:
    """Readers of partitions that other gateways own, each kept while a turn here needs it."""

    def __init__(self, tail: ReplyTail, feed: Feed) -> None:
        self._tail = tail
        self._feed = feed
        self._readers: dict[int, PartitionReader] = {}
        self._needed: dict[int, set[str]] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def join(self, turn_id: str, place: Place) -> None:
        """Read what the log has of this turn and will have."""
        self._needed.setdefault(place.partition, set()).add(turn_id)
        reader = self._readers.get(place.partition)
        if reader is None:
            reader = PartitionReader(self._tail, place.partition, self._feed, place.start)
            self._readers[place.partition] = reader
            reader.start()
        else:
            reader.rewind(place.start)

    def leave(self, turn_id: str) -> None:
        """The turn needs no reader any more."""
        for partition, needed in list(self._needed.items()):
            needed.discard(turn_id)
            if not needed:
                del self._needed[partition]
                task = asyncio.create_task(self._readers.pop(partition).stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)

    async def stop(self) -> None:
        """Stop all readers."""
        readers = [*self._readers.values()]
        self._readers.clear()
        self._needed.clear()
        await asyncio.gather(*(reader.stop() for reader in readers), *self._stopping)
