"""One connection through a proxy: two directions, each as sick as the proxy's toxic says."""

import asyncio
import socket
import struct
from contextlib import suppress
from time import monotonic
from typing import Final, Protocol

from tests.chaos.toxics.toxic import Bandwidth, HalfOpen, Latency, Reset, Slicer, Toxic

PIECE: Final = 64 * 1024
# So much may be under way in one direction, as in a socket's own buffers.
_PIECES_UNDER_WAY: Final = 16
# Closing with this option set sends RST instead of FIN.
_LINGER_NOT: Final = struct.pack("ii", 1, 0)
# Bandwidth is handed out so often.
_TICK_S: Final = 0.05

_Queue = asyncio.Queue[tuple[float, bytes]]


class Sick(Protocol):
    """What a connection has to know of its proxy."""

    @property
    def toxic(self) -> Toxic | None: ...

    async def pause(self, seconds: float) -> None: ...


class Link:
    """A client's connection and the one to the server behind it."""

    def __init__(self, proxy: Sick, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._upstream: asyncio.StreamWriter | None = None
        self._directions: asyncio.Future[list[None]] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Bytes are missing from it, or will be: it can never be well again.
        self.lost = False
        self._hears = False

    async def run(self, upstream: str) -> None:
        """Carry bytes until one side ends it."""
        try:
            toxic = self._proxy.toxic
            self.lost = isinstance(toxic, HalfOpen)
            if isinstance(toxic, HalfOpen) and not toxic.hears:
                await self._swallow()
                return
            host, _, port = upstream.rpartition(":")
            try:
                reader, self._upstream = await asyncio.open_connection(host, int(port), limit=PIECE)
            except OSError:
                self.reset()
                return
            work = [self._carry(self._reader, self._upstream), self._carry(reader, self._writer, answers=True)]
            if isinstance(toxic, Reset):
                work.append(self._reset_after(toxic))
            self._directions = asyncio.gather(*work)
            with suppress(OSError, asyncio.CancelledError):
                await self._directions
        finally:
            self._writer.close()
            if self._upstream is not None:
                self._upstream.close()
            self.ended.set_result(None)

    def reset(self) -> None:
        """Send RST both ways."""
        for writer in (self._writer, self._upstream):
            if writer is not None and not writer.is_closing():
                with suppress(OSError):
                    connected: socket.socket = writer.get_extra_info("socket")
                    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                writer.transport.abort()
        if self._directions is not None:
            self._directions.cancel()

    async def _swallow(self) -> None:
        with suppress(OSError):
            while await self._reader.read(PIECE):
                pass

    async def _reset_after(self, toxic: Reset) -> None:
        await self._proxy.pause(toxic.after_ms / 1000)
        if self._proxy.toxic is toxic:
            self.reset()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        under_way: _Queue = asyncio.Queue(_PIECES_UNDER_WAY)
        reading = asyncio.create_task(_read(reader, under_way))
        try:
            while True:
                came, piece = await under_way.get()
                if not piece:
                    break
                await self._pass(piece, came, writer, answers=answers)
            # Whoever has lost the other side hears nothing of its end either.
            if not self._swallows(answers=answers) and writer.can_write_eof():
                writer.write_eof()
            elif not answers and self._upstream is not None:
                self._upstream.close()
        finally:
            reading.cancel()

    async def _pass(self, piece: bytes, came: float, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        toxic = self._proxy.toxic
        while piece and not self._swallows(answers=answers):
            size, pause = _portion(toxic if self._proxy.toxic is toxic else None, len(piece), monotonic() - came)
            await self._proxy.pause(pause)
            if self._swallows(answers=answers):
                return
            writer.write(piece[:size])
            await writer.drain()
            piece = piece[size:]

    def _swallows(self, *, answers: bool) -> bool:
        toxic = self._proxy.toxic
        if isinstance(toxic, HalfOpen):
            self._hears = toxic.hears
        return self.lost and (answers or not self._hears)


def _portion(toxic: Toxic | None, size: int, age_s: float) -> tuple[int, float]:
    """How many of so many bytes may go, and after what pause."""
    match toxic:
        case Latency(ms):
            return size, max(0.0, ms / 1000 - age_s)
        case Bandwidth(bytes_per_second):
            portion = min(size, max(1, int(bytes_per_second * _TICK_S)))
            return portion, portion / bytes_per_second
        case Slicer(portion, pause_ms):
            return min(size, portion), pause_ms / 1000
        case _:
            return size, 0.0


async def _read(reader: asyncio.StreamReader, into: _Queue) -> None:
    piece = b"-"
    while piece:
        try:
            piece = await reader.read(PIECE)
        except OSError:
            piece = b""
        await into.put((monotonic(), piece))
