"""The proxy does to a connection what its toxic says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.toxic import Bandwidth, Down, HalfOpen, Latency, Reset, Slicer
from tests.fakes.waiting import until

SOON_S = 0.3


class Echo:
    """Answers every byte with itself, and remembers how many it heard."""

    def __init__(self) -> None:
        self.heard = 0
        self.open = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while data := await reader.read(65536):
                self.heard += len(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, said: bytes = b"hello", within_s: float = 5.0) -> bytes:
        self.writer.write(said)
        return await asyncio.wait_for(self.reader.readexactly(len(said)), within_s)


@dataclass
class Ways:
    """A proxy, the server behind it, and the connections of a test."""

    proxy: ToxicProxy
    server: Echo
    clients: list[Client] = field(default_factory=list)

    async def connected(self) -> Client:
        host, _, port = self.proxy.address.partition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        self.clients.append(client)
        return client


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    server = Echo()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    async with ToxicProxy(f"{host}:{port}") as proxy:
        found = Ways(proxy, server)
        yield found
        for client in found.clients:
            client.writer.close()
    listening.close()
    await until("the server's connections to end", lambda: not server.open)


async def test_without_a_toxic_bytes_and_the_end_go_through(ways: Ways) -> None:
    proxy = ways.proxy
    client = await ways.connected()
    assert await client.ask(b"x" * 200_000) == b"x" * 200_000
    client.writer.write_eof()
    assert await asyncio.wait_for(client.reader.read(), 5) == b""
    await until("the connection to end", lambda: not proxy.open_connections)


async def test_latency_delays_each_way_but_does_not_add_up_over_pieces(ways: Ways) -> None:
    proxy = ways.proxy
    client = await ways.connected()
    await proxy.poison(Latency(200))
    began = monotonic()
    for _ in range(50):
        client.writer.write(b"x")
        await client.writer.drain()
        await asyncio.sleep(0.01)
    await asyncio.wait_for(client.reader.readexactly(50), 10)
    # Added up they would be twenty seconds.
    assert 0.4 <= monotonic() - began < 10


async def test_bandwidth_bounds_what_passes_in_a_second(ways: Ways) -> None:
    proxy = ways.proxy
    client = await ways.connected()
    await proxy.poison(Bandwidth(10_000))
    began = monotonic()
    await client.ask(b"x" * 5_000)
    assert monotonic() - began >= 0.45


async def test_a_slicer_passes_everything_in_small_pieces(ways: Ways) -> None:
    proxy = ways.proxy
    client = await ways.connected()
    await proxy.poison(Slicer(10, 5))
    began = monotonic()
    assert await client.ask(b"0123456789" * 20) == b"0123456789" * 20
    assert monotonic() - began >= 0.1


async def test_a_reset_cuts_what_is_open_and_what_comes(ways: Ways) -> None:
    proxy = ways.proxy
    old = await ways.connected()
    await old.ask()
    await proxy.poison(Reset(300))
    with pytest.raises(ConnectionResetError):
        await old.ask()
    new = await ways.connected()
    assert await new.ask() == b"hello"
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await new.reader.readexactly(1)
    await proxy.relieve()
    assert await (await ways.connected()).ask() == b"hello"


async def test_down_refuses_and_is_up_again_on_the_same_port(ways: Ways) -> None:
    proxy = ways.proxy
    old = await ways.connected()
    await proxy.poison(Down())
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await old.ask()
    with pytest.raises(ConnectionRefusedError):
        await ways.connected()
    await proxy.relieve()
    assert await (await ways.connected()).ask() == b"hello"


@pytest.mark.parametrize("opened", ["before", "meanwhile"])
async def test_half_open_swallows_everything_and_resets_only_on_relief(ways: Ways, opened: str) -> None:
    proxy, server = ways.proxy, ways.server
    client = await ways.connected()
    if opened == "before":
        await client.ask()
        await proxy.poison(HalfOpen())
    else:
        await proxy.poison(HalfOpen())
        client = await ways.connected()
    heard = server.heard
    with pytest.raises(TimeoutError):
        await client.ask(within_s=SOON_S)
    assert server.heard == heard
    await proxy.relieve()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await client.ask()
    assert await (await ways.connected()).ask() == b"hello"


async def test_half_open_may_hear_and_not_answer(ways: Ways) -> None:
    proxy, server = ways.proxy, ways.server
    client = await ways.connected()
    await client.ask()
    await proxy.poison(HalfOpen(hears=True))
    late = await ways.connected()
    for each in (client, late):
        with pytest.raises(TimeoutError):
            await each.ask(within_s=SOON_S)
    assert server.heard == 15


async def test_half_open_for_good_is_silent_even_after_relief(ways: Ways) -> None:
    proxy, server = ways.proxy, ways.server
    client = await ways.connected()
    await client.ask()
    await proxy.poison(HalfOpen(for_good=True))
    await proxy.relieve()
    with pytest.raises(TimeoutError):
        await client.ask(within_s=SOON_S)
    assert server.heard == 5
    assert await (await ways.connected()).ask() == b"hello"


async def test_relief_does_not_wait_for_what_a_toxic_still_delays(ways: Ways) -> None:
    proxy = ways.proxy
    client = await ways.connected()
    await proxy.poison(Latency(60_000))
    asking = asyncio.create_task(client.ask())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), SOON_S)
    await proxy.relieve()
    assert await asking == b"hello"
