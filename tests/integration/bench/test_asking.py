"""The measuring client against a real websocket server that speaks the gateway's frames."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from headrace.bench.asking import load, questions
from headrace.embedded.ports import free_port
from headrace.messaging.errors import Fatal

pytestmark = pytest.mark.integration


class Gateway:
    """Answers as it is told and remembers who asked what."""

    def __init__(self, manner: str = "answers") -> None:
        self.manner = manner
        self.asked: list[dict[str, Any]] = []
        self.sockets = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with serve(self._handle, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    async def _handle(self, socket: ServerConnection) -> None:
        self.sockets += 1
        async for raw in socket:
            frame = orjson.loads(raw)
            self.asked.append(frame)
            turn = frame["id"]
            if self.manner == "closes":
                return
            if self.manner == "refuses":
                await self._say(socket, type="error", id=turn, code="overloaded", retry_after=1)
                continue
            await self._say(socket, type="accepted", id=turn)
            if self.manner == "is silent":
                continue
            await self._say(socket, type="delta", id="somebody else's", seq=0, text="no")
            await self._say(socket, type="delta", id=turn, seq=0, text="A river ")
            await self._say(socket, type="delta", id=turn, seq=1, text="flows.")
            usage = {"completion_tokens": 5}
            await self._say(socket, type="done", id=turn, status="ANSWERED", usage=usage, cached=False)

    async def _say(self, socket: ServerConnection, **frame: object) -> None:
        await socket.send(orjson.dumps(frame).decode())


async def test_every_question_is_asked_once_by_as_many_clients_as_wanted() -> None:
    gateway = Gateway()
    texts = questions(10)
    async with gateway.listening() as url:
        run = await load(url, texts, 4)
    assert sorted(frame["text"] for frame in gateway.asked) == sorted(texts)
    assert gateway.sockets == 4
    assert run.as_json()["outcomes"] == {"answered": 10}
    assert all(0 < (each.first_token_ms or 0) <= each.done_ms for each in run.answers)
    assert sum(each.completion_tokens for each in run.answers) == 50


@pytest.mark.parametrize(
    ("manner", "timeout_s", "outcome"),
    [("refuses", 10, "overloaded"), ("is silent", 0.2, "timeout"), ("closes", 10, "socket_closed")],
)
async def test_what_is_not_answered_is_counted_by_why(manner: str, timeout_s: float, outcome: str) -> None:
    async with Gateway(manner).listening() as url:
        run = await load(url, questions(1), 1, timeout_s=timeout_s)
    assert run.as_json()["outcomes"] == {outcome: 1}


async def test_a_gateway_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(Fatal, match="headrace status"):
        await load(f"http://127.0.0.1:{free_port()}/", questions(2), 2)
