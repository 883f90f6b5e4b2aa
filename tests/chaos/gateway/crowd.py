"""Many people at one gateway: who asks when, and what became of each question."""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any, Final, Self
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

# Nobody waits longer than this for a word of any kind.
PATIENCE_S: Final = 150.0
# One question in so many comes by OpenAI's API, the others by websocket.
_BY_REST: Final = 8


@dataclass(slots=True)
class Outcome:
    """One question. Times are the machine's monotonic seconds; `what`: answered, refused, or what went wrong."""

    due_at: float
    asked_at: float
    by: str = "websocket"
    what: str = "unanswered"
    begun_at: float = 0.0
    ended_at: float = 0.0
    retry_after: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Crowd:
    """A number of open websockets, over which questions go out at any time."""

    def __init__(self, address: str, sockets: int, *, seed: int) -> None:
        self._address = address
        self._sockets = sockets
        self._random = random.Random(seed)  # noqa: S311 - a load to be replayed
        self._connections: list[ClientConnection] = []
        self._readers: list[asyncio.Task[None]] = []
        self._open: dict[str, tuple[Outcome, asyncio.Future[None]]] = {}
        # Each call has a connection of its own: waiting for one of a pool would be taken for the gateway's doing.
        limits = httpx.Limits(max_connections=None)
        self._http = httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S, limits=limits)

    async def __aenter__(self) -> Self:
        for _ in range(self._sockets):
            connection = await connect(f"ws://{self._address}/v1/chat/ws", max_size=None, compression=None)
            self._connections.append(connection)
            self._readers.append(asyncio.create_task(self._read(connection)))
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections), self._http.aclose())
        await asyncio.gather(*self._readers)

    async def open_loop(self, per_second: float, seconds: float) -> list[Outcome]:
        """Poisson arrivals, whatever the answers do; returns when the last question was sent."""
        asking: list[asyncio.Task[Outcome]] = []
        for due_at in self._arrivals(per_second, seconds):
            if (rest := due_at - monotonic()) > 0:
                await asyncio.sleep(rest)
            asking.append(asyncio.create_task(self.ask(due_at)))
        return [await task for task in asking]

    async def closed_loop(self, people: int, seconds: float) -> list[Outcome]:
        """So many people, each asking as soon as they are answered."""
        until = monotonic() + seconds
        outcomes: list[Outcome] = []

        async def one() -> None:
            while monotonic() < until:
                outcomes.append(await self.ask(monotonic()))

        await asyncio.gather(*(one() for _ in range(people)))
        return outcomes

    async def ask(self, due_at: float) -> Outcome:
        """One question to its end."""
        outcome = Outcome(due_at, monotonic())
        text = f"How full is basin {uuid4()}?"
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._random.randrange(_BY_REST):
                    await self._ask_socket(outcome, text)
                else:
                    await self._ask_rest(outcome, text)
        except (TimeoutError, OSError, ConnectionClosed, httpx.HTTPError) as exc:
            outcome.what = f"failed: {type(exc).__name__}"
        return outcome

    async def _ask_socket(self, outcome: Outcome, text: str) -> None:
        turn_id = str(uuid4())
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[turn_id] = outcome, ended
        outcome.asked_at = monotonic()
        await self._random.choice(self._connections).send(json.dumps({"type": "ask", "id": turn_id, "text": text}))
        try:
            await ended
        finally:
            del self._open[turn_id]

    async def _ask_rest(self, outcome: Outcome, text: str) -> None:
        outcome.by = "http"
        body = {"model": "paced", "messages": [{"role": "user", "content": text}]}
        outcome.asked_at = monotonic()
        response = await self._http.post("/v1/chat/completions", json=body)
        outcome.ended_at = outcome.begun_at = monotonic()
        outcome.what = {200: "answered", 429: "refused"}.get(response.status_code, f"failed: {response.status_code}")
        outcome.retry_after = int(response.headers.get("retry-after", 0))

    async def _read(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for raw in connection:
                now = monotonic()
                frame = json.loads(raw)
                if frame["id"] in self._open:
                    self._note(frame, *self._open[frame["id"]], now)

    @staticmethod
    def _note(frame: dict[str, Any], outcome: Outcome, ended: "asyncio.Future[None]", now: float) -> None:
        match frame["type"]:
            case "delta":
                outcome.begun_at = outcome.begun_at or now
                return
            case "done":
                outcome.what = "answered" if frame["status"] == "ANSWERED" else f"failed: {frame['status']}"
            case "error":
                outcome.what = "refused" if frame["code"] == "too_busy" else f"failed: {frame['code']}"
                outcome.retry_after = frame["retry_after"] or 0
            case _:
                return
        outcome.ended_at = now
        if not ended.done():
            ended.set_result(None)

    def _arrivals(self, per_second: float, seconds: float) -> Iterator[float]:
        began = at = monotonic()
        while (at := at + self._random.expovariate(per_second)) < began + seconds:
            yield at
