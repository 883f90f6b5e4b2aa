"""A gateway on a real socket, in front of a log in memory or on Kafka, with the services played by the test."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from services.gateway.app import build_app
from services.gateway.handlers.serving import DrainingServer
from services.gateway.settings import Settings
from tests.fakes.pipeline import MemoryWire, Pipeline, Wire, kafka_wire
from tests.fakes.replies import FixedBacklog, FixedModels, FixedTraces, MemoryTurnIndex
from tests.fakes.waiting import until


class Client:
    """A websocket client that keeps every frame it got."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []

    async def send(self, **frame: object) -> None:
        await self.connection.send(orjson.dumps(frame).decode())

    async def ask(self, text: str = "What is Kafka?", *, turn_id: str = "", conversation: str = "c1") -> str:
        turn_id = turn_id or str(uuid.uuid4())
        await self.send(type="ask", id=turn_id, conversation=conversation, text=text)
        return turn_id

    async def until(self, kind: str, turn_id: str | None = None) -> dict[str, Any]:
        """The next frame of this type (and turn); those before it are kept in `frames`."""
        async with asyncio.timeout(20):
            while True:
                frame = orjson.loads(await self.connection.recv())
                self.frames.append(frame)
                assert frame["type"] != "error" or kind == "error", f"an error instead of {kind}: {frame['message']}"
                if frame["type"] == kind and turn_id in {None, frame["id"]}:
                    return dict(frame)

    def text(self, turn_id: str) -> str:
        """What a page would show."""
        shown, last = "", -1
        for frame in self.frames:
            if frame["id"] == turn_id and frame["type"] == "restarted":
                shown, last = "", -1
            if frame["id"] == turn_id and frame["type"] == "delta":
                assert frame["seq"] > last, "a delta came twice or out of order"
                shown, last = shown + frame["text"], frame["seq"]
        return shown


class World:
    """Gateways that share a log and an index."""

    def __init__(self, wire: Wire, stack: AsyncExitStack) -> None:
        self.wire = wire
        self.pipeline = Pipeline(wire)
        self.index = MemoryTurnIndex()
        self.traces = FixedTraces()
        self.backlog = FixedBacklog()
        self._stack = stack

    async def gateway(self, name: str = "one", **changed: object) -> str:
        """Start a gateway; returns its host and port."""
        return await self._stack.enter_async_context(self.running(name, **changed))

    @asynccontextmanager
    async def running(self, name: str = "one", **changed: object) -> AsyncIterator[str]:
        settings = Settings.model_validate({"instance": name, "port": 0, "resume_seconds": 0.2, **changed})
        app = build_app(
            settings,
            publisher=self.wire.publisher,
            tail=self.wire.tail(),
            index=self.index,
            traces=self.traces,
            models=FixedModels(),
            backlog=self.backlog,
        )
        server = DrainingServer(app, settings)
        serving = asyncio.create_task(server._serve())
        try:
            await until("the gateway to listen", lambda: server.started or serving.done())
            if serving.done():
                serving.result()
            yield "{}:{}".format(*server.servers[0].sockets[0].getsockname())
        finally:
            server.should_exit = True
            await serving

    @asynccontextmanager
    async def client(self, address: str, **options: Any) -> AsyncIterator[Client]:
        async with connect(f"ws://{address}/v1/chat/ws", max_size=None, **options) as connection:
            yield Client(connection)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def bootstrap(request: pytest.FixtureRequest) -> str:
    """A broker's address, or nothing for the log in memory."""
    return str(request.getfixturevalue("kafka")) if request.param == "kafka" else ""


@pytest.fixture
async def world(bootstrap: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(kafka_wire(bootstrap)) if bootstrap else MemoryWire()
        yield World(wire, stack)
