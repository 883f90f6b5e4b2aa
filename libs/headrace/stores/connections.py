"""Connections to Redis that fail as Redis errors do, and a pool that keeps nobody waiting for a server that is out."""

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from redis import exceptions
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)

from headrace.stores.outage import Outage

# A timer that is this late says that this process was held up, not the server.
_LATE_SECONDS: Final = 0.25


class Watched(AbstractConnection):
    """Tells the pool's outage what becomes of calls."""

    outage: Outage

    async def _connect(self) -> None:
        try:
            await super()._connect()  # type: ignore[safe-super, no-untyped-call]  # mixed in before the kinds below, which have it
        except TimeoutError:
            self.outage.timed_out(time.monotonic())
            raise
        # It has just shown that it lives: no PING before its first command.
        self.next_health_check = asyncio.get_running_loop().time() + self.health_check_interval

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Send, as the base class does."""
        try:
            await super().send_packed_command(*args, **options)
        except RuntimeError as exc:
            # uvloop's word for a transport that the other side has reset meanwhile.
            raise exceptions.ConnectionError(f"the connection is closed: {exc}") from exc

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Read, as the base class does."""
        began = time.monotonic()
        try:
            response = await super().read_response(*args, **options)
        except exceptions.TimeoutError as exc:
            now = time.monotonic()
            if self.socket_timeout and now - began > self.socket_timeout + _LATE_SECONDS:
                # The answer may lie there unread. As an error of the connection it is tried once more.
                raise exceptions.ConnectionError("this process was held up while it waited for an answer") from exc
            self.outage.timed_out(now)
            raise
        except exceptions.ResponseError:
            self.outage.answered()
            raise
        self.outage.answered()
        return response


class WatchedTcp(Watched, Connection):
    """A connection of redis:// addresses."""


class WatchedTls(Watched, SSLConnection):
    """A connection of rediss:// addresses."""


class WatchedUnix(Watched, UnixDomainSocketConnection):
    """A connection of unix:// addresses."""


_WATCHED: Final[Mapping[type[AbstractConnection], type[Watched]]] = MappingProxyType(
    {Connection: WatchedTcp, SSLConnection: WatchedTls, UnixDomainSocketConnection: WatchedUnix}
)


class WatchedPool(ConnectionPool):
    """Connections of one client."""

    def __init__(self, connection_class: type[AbstractConnection] = Connection, **options: Any) -> None:
        super().__init__(connection_class=_WATCHED[connection_class], **options)
        self._outage = Outage()
        self._timeouts = 0

    def make_connection(self) -> Any:
        """Make a connection that this pool watches."""
        connection = super().make_connection()  # type: ignore[no-untyped-call]  # redis types half of itself
        connection.outage = self._outage
        return connection

    async def get_connection(self) -> Any:  # type: ignore[override]  # what else the base class takes is deprecated
        """Take a connection; a `ConnectionError` at once while the server is out."""
        if self._outage.refuses(time.monotonic()):
            raise exceptions.ConnectionError("it gave no answer a moment ago")
        if self._timeouts != self._outage.timeouts:
            # Idle connections from before an outage may be dead and not know.
            self._timeouts = self._outage.timeouts
            await self.disconnect(inuse_connections=False)
        return await super().get_connection()  # type: ignore[no-untyped-call]  # the same
