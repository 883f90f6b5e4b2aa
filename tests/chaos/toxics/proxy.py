"""A TCP proxy that can be poisoned while it runs."""

import asyncio
from typing import Self, assert_never

from headrace.embedded.ports import LOOPBACK, free_port
from tests.chaos.toxics.link import PIECE, Link
from tests.chaos.toxics.toxic import Bandwidth, Down, HalfOpen, Latency, Reset, Slicer, Toxic


class ToxicProxy:
    """Stands before a server at `host:port`; enter to listen. The toxic counts for connections old and new."""

    def __init__(self, upstream: str = "") -> None:
        # May be named later: a broker has to know its proxy's port before it starts itself.
        self.upstream = upstream
        self._port = free_port()
        self._toxic: Toxic | None = None
        self._changed: asyncio.Future[None] | None = None
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()

    @property
    def address(self) -> str:
        """`host:port` of the proxy."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def open_connections(self) -> int:
        """How many there are now."""
        return len(self._links)

    async def __aenter__(self) -> Self:
        self._change(None)
        await self._listen()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._close()
        self._reset_all()
        # Their tasks are the server's, which would leave them to the end of the loop.
        if self._links:
            await asyncio.wait([link.ended for link in self._links])

    async def poison(self, toxic: Toxic) -> None:
        """From now on."""
        self._change(toxic)
        match toxic:
            case Down():
                await self._close()
                self._reset_all()
            case Reset():
                self._reset_all()
            case HalfOpen():
                for link in self._links:
                    link.lost = True
            case Latency() | Bandwidth() | Slicer():
                pass
            case never:
                assert_never(never)

    async def relieve(self) -> None:
        """All is well, but for what a toxic did for good."""
        before = self._toxic
        self._change(None)
        if isinstance(before, Down):
            await self._listen()
        if isinstance(before, HalfOpen) and not before.for_good:
            # The other side is there again and knows nothing of these connections.
            self._reset_all(lost_only=True)

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the toxic that asks for it."""
        if seconds > 0 and self._changed is not None:
            await asyncio.wait((self._changed,), timeout=seconds)

    @property
    def toxic(self) -> Toxic | None:
        return self._toxic

    def _change(self, toxic: Toxic | None) -> None:
        self._toxic = toxic
        if self._changed is not None:
            self._changed.set_result(None)
        self._changed = asyncio.get_running_loop().create_future()

    def _reset_all(self, *, lost_only: bool = False) -> None:
        for link in tuple(self._links):
            if link.lost or not lost_only:
                link.reset()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, LOOPBACK, self._port, limit=PIECE)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run(self.upstream)
        finally:
            self._links.discard(link)
