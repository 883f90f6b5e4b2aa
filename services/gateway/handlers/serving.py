"""The gateway's server: how it holds its connections, and how it lets them go."""

import gc
import resource
import socket
from asyncio import TimerHandle
from asyncio.transports import BaseTransport
from typing import Final, cast

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.gateway.handlers.desk import Desk
from services.gateway.settings import Settings

log = structlog.get_logger()

# What waits here and in the kernel for a client to read it; beyond it the turn waits at its place in the log.
_BUFFER_BYTES: Final = 32 * 1024
_SERVICE_RESTART: Final = 1012
# "Try again later": the client connects again and resumes at the last delta that it got.
_TRY_AGAIN: Final = 1013
_CLOSING_SECONDS: Final = 2.0
# How long one that is sent away has to read what lies before the close, and the close.
_FAREWELL_SECONDS: Final = 5.0


class PacedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's websocket with a small buffer; a client that lets it stay full for too long is sent away to resume."""

    # How long it may stay full; the server below sets it.
    patience_s: float = 10.0
    _full: TimerHandle | None = None
    _closing: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what is on its way to the client, here and in the kernel."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_BUFFER_BYTES)
        connection = cast("socket.socket", self.transport.get_extra_info("socket"))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)

    def pause_writing(self) -> None:
        """The buffer is full."""
        super().pause_writing()
        if not self.close_sent:
            self._full = self.loop.call_later(self.patience_s, self._send_away)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._be_patient()
        if self._closing is not None:
            self._closing.cancel()
        super().connection_lost(exc)

    async def send(self, message: ASGISendEvent) -> None:
        """Send; once the close is on its way, whoever still has something to say is told that the client is gone."""
        if self.close_sent and message["type"] == "websocket.send":
            raise ClientDisconnected
        await super().send(message)

    def shutdown(self) -> None:
        """Say that the service restarts, and wait for the client's word: an early end could overtake ours."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self._say_goodbye(_SERVICE_RESTART, "the gateway stops: connect again and resume")
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_CLOSING_SECONDS, self.transport.close)

    def _be_patient(self) -> None:
        if self._full is not None:
            self._full.cancel()
            self._full = None

    def _send_away(self) -> None:
        self._full = None
        if self.close_sent or self.transport.is_closing():
            return
        log.info("a client reads too slowly: it is to resume", waited_s=self.patience_s)
        self._say_goodbye(_TRY_AGAIN, "read too slowly: connect again and resume")
        self.transport.close()
        # One that reads nothing at all would keep its buffers until the kernel gives it up.
        self._closing = self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)

    def _say_goodbye(self, code: int, reason: str) -> None:
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})


class DrainingServer(uvicorn.Server):
    """A server of one gateway; it tells the desk before it sends clients away, so that none is taken to have left."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        protocol = type("Paced", (PacedWebSocket,), {"patience_s": settings.slow_client_seconds})
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                ws=protocol,
                # A compressor for each of thousands of sockets costs more memory than words of a few bytes are worth.
                ws_per_message_deflate=False,
                ws_max_size=settings.max_socket_bytes,
                timeout_graceful_shutdown=int(settings.drain_seconds),
            )
        )
        self._desk: Desk = app.state.desk
        self._patience_s = settings.slow_client_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; what is accepted inherits that the kernel drops a peer that takes nothing for too long."""
        await super().startup(sockets)
        # What is imported by now stays: a collection that looks at it each time would stop every stream meanwhile.
        gc.collect()
        gc.freeze()
        for server in self.servers:
            for listening in server.sockets:
                # Not before a websocket's farewell is over: the kernel's word would take its place.
                milliseconds = int((self._patience_s + _FAREWELL_SECONDS) * 1000)
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, close websockets with 1012, let HTTP streams finish."""
        self._desk.drain()
        await super().shutdown(sockets)


def raise_file_limit() -> None:
    """A socket is a file, and the usual limit on files is smaller than the number of clients."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
