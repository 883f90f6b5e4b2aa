"""aiokafka's connections, mended in two places: what a closed one raises, and how long a silent one is waited for.

uvloop raises RuntimeError where asyncio's transports raise an OSError. aiokafka knows the OSError alone, so that one
reset connection ended the task that keeps its place in the group, or the one that sends, for good and in silence.

And a broker that has gone without a word (a firewall that forgot, a machine that froze) is waited for as long as the
slowest request may take. Whatever a broker answers at once is given up here as soon as nothing moves on its connection:
the client then closes it and asks again over a new one, under the same producer id and sequence, so that nothing is
written twice. With it go the process's other connections to that broker that have been as silent: the one that sends
would else find out with the next message only, and so would every stage after it in turn.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final
from weakref import WeakSet

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest

# No byte in, and none more out, for so long. A fetch that finds nothing is answered after half a second.
SILENCE_S: Final = 3.0
# A broker may take its time over the rest: a join waits for the other members, a transaction for its markers.
_PROMPT: Final = (
    ApiVersionRequest,
    FetchRequest,
    FindCoordinatorRequest,
    HeartbeatRequest,
    MetadataRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetRequest,
    ProduceRequest,
)

_send: Final = conn.AIOKafkaConnection.send
_used: Final[WeakSet[conn.AIOKafkaConnection]] = WeakSet()


class HeardProtocol(conn.AIOKafkaProtocol):  # type: ignore[misc]  # aiokafka is untyped
    """Knows when it heard something last; on the clock of the loop."""

    heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, as the base class does."""
        self.heard_at = asyncio.get_running_loop().time()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes, as the base class does."""
        self.heard_at = asyncio.get_running_loop().time()
        super().data_received(data)


def mend() -> None:
    """Mend the connections of this process, those of other clients than ours included; again changes nothing."""
    conn.AIOKafkaProtocol = HeardProtocol
    conn.AIOKafkaConnection.send = _mended_send


def _mended_send(self: conn.AIOKafkaConnection, request: Any, expect_response: bool = True) -> Awaitable[Any]:  # noqa: FBT001, FBT002 - as the original has it
    _used.add(self)
    try:
        answer: Awaitable[Any] = _send(self, request, expect_response)
    except RuntimeError as exc:
        self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection at {self.host}:{self.port} closed: {exc}") from exc
    if expect_response and isinstance(request, _PROMPT):
        return _unless_silent(self, asyncio.ensure_future(answer))
    return answer


async def _unless_silent(connection: conn.AIOKafkaConnection, answer: "asyncio.Future[Any]") -> Any:
    """The answer; TimeoutError, upon which the client closes the connection, once nothing moves on it any more."""
    asked_at = asyncio.get_running_loop().time()
    try:
        while not answer.done():
            before = _moved(connection)
            await asyncio.wait((answer,), timeout=SILENCE_S)
            if not answer.done() and _moved(connection) == before:
                _leave(connection.host, connection.port, silent_since=asked_at)
                raise TimeoutError
        return await answer
    finally:
        answer.cancel()


def _leave(host: str, port: int, *, silent_since: float) -> None:
    """Close what leads to this broker and has not heard of it since."""
    for other in tuple(_used):
        if (other.host, other.port) == (host, port) and _heard_at(other) < silent_since:
            other.close(reason=conn.CloseReason.CONNECTION_TIMEOUT)


def _moved(connection: conn.AIOKafkaConnection) -> tuple[float, int]:
    """When something came in last, and what is still to go out."""
    writer = connection._writer  # noqa: SLF001 - there is no public way to it
    return _heard_at(connection), writer.transport.get_write_buffer_size() if writer is not None else 0


def _heard_at(connection: conn.AIOKafkaConnection) -> float:
    protocol = connection._protocol  # noqa: SLF001 - the same
    return protocol.heard_at if isinstance(protocol, HeardProtocol) else 0.0
