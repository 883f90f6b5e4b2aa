"""What listens where a broker should be, and is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from headrace.messaging import reaching
from headrace.messaging.errors import Unreachable
from headrace.messaging.reaching import reach

pytestmark = pytest.mark.integration

Listener = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def closes(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Which it does once nothing more is said."""


async def says_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def speaks_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[str]:
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await listener(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*(task for task in serving if task is not None))


@pytest.mark.parametrize("listener", [closes, says_nothing, speaks_http])
async def test_what_is_no_broker_is_found_out_in_a_sentence(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "ANSWER_TIMEOUT_S", 2.0)
    async with listening(listener) as bootstrap, asyncio.timeout(10):
        with pytest.raises(Unreachable, match=f"{bootstrap} (does not answer as a broker|cannot be reached)"):
            await reach(bootstrap)


async def test_a_broker_is_reached_behind_an_address_that_is_dead(kafka: str) -> None:
    await reach(f"127.0.0.1:1,{kafka}")
