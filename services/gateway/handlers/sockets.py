"""The websocket: many turns over one connection, each told at its own pace."""

import asyncio
import uuid
from time import monotonic
from typing import assert_never

import orjson
import structlog
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from headrace.messaging.errors import HeadraceError, Invalid, Retryable
from headrace.telemetry import metrics
from services.gateway.domain import said
from services.gateway.domain.admission import Busy
from services.gateway.domain.frames import Ask, BadFrame, Cancel, Frame, Rate, Resume, read_frame
from services.gateway.domain.origins import allowed
from services.gateway.domain.turn_log import Cursor
from services.gateway.handlers.desk import Desk
from services.gateway.handlers.turns import HeldTurn
from services.gateway.settings import Settings

log = structlog.get_logger()

# A socket may follow this many turns at once; more are refused, not queued.
MAX_TURNS = 64
_POLICY_VIOLATION = 1008
_SOCKET_RETRY_S = 5


def router(desk: Desk, settings: Settings) -> APIRouter:
    """The route of the chat."""
    routes = APIRouter()
    chats: set[Chat] = set()

    @routes.websocket("/v1/chat/ws")
    async def chat(websocket: WebSocket) -> None:
        if not allowed(websocket.headers.get("origin"), websocket.headers.get("host", ""), settings.origins):
            log.warning("a page of another origin was refused", origin=websocket.headers.get("origin"))
            await websocket.close(_POLICY_VIOLATION)
            return
        if len(chats) >= settings.max_sockets:
            await websocket.send_denial_response(_too_many_sockets(settings.max_sockets))
            return
        await websocket.accept()
        open_chat = Chat(websocket, desk, settings)
        chats.add(open_chat)
        try:
            with metrics.OPEN_SOCKETS.track_inprogress():
                await open_chat.run()
        finally:
            chats.discard(open_chat)

    return routes


class Chat:
    """One open socket."""

    def __init__(self, websocket: WebSocket, desk: Desk, settings: Settings) -> None:
        self._websocket = websocket
        self._desk = desk
        self._settings = settings
        # Whoever asks over one socket is one client, and gets one share of a full house.
        self._name = str(uuid.uuid4())
        self._sending = asyncio.Lock()
        self._tasks: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Read frames until the client goes; what it followed then runs out."""
        try:
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._take(message.get("text") or message.get("bytes") or "")
        except WebSocketDisconnect:
            return
        finally:
            # A cancellation or a rating that is under way still goes out.
            for task, told in self._tasks.items():
                if told:
                    task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, raw: str | bytes) -> None:
        taken_at = monotonic()
        frame = read_frame(raw, max_bytes=self._settings.max_frame_bytes)
        if isinstance(frame, BadFrame):
            await self._send(said.error(frame.turn_id, frame.problem))
            return
        turn_id = _id_of(frame)
        if isinstance(frame, Ask | Resume) and list(self._tasks.values()).count(turn_id):
            # The client has lost its place or asked twice: it begins anew here, and what it had stops.
            await self._stop_telling(turn_id)
        if len(self._tasks) >= MAX_TURNS:
            problem = Invalid(
                f"{MAX_TURNS} turns are open on this socket, the limit: wait for one", code="too_many_turns"
            )
            await self._send(said.error(turn_id, problem))
            return
        task = asyncio.create_task(self._do(frame, turn_id, taken_at))
        self._tasks[task] = turn_id if isinstance(frame, Ask | Resume) else ""
        task.add_done_callback(self._tasks.pop)

    async def _stop_telling(self, turn_id: str) -> None:
        stale = [task for task, told in self._tasks.items() if told == turn_id]
        for task in stale:
            task.cancel()
        await asyncio.gather(*stale, return_exceptions=True)

    async def _do(self, frame: Frame, turn_id: str, taken_at: float) -> None:
        try:
            match frame:
                case Ask(question):
                    grace_s = self._settings.resume_seconds
                    turn = await self._desk.ask(question, client=self._name, grace_s=grace_s)
                    if isinstance(turn, Busy):
                        await self._send(said.busy(turn_id, turn))
                        metrics.REFUSAL_SECONDS.observe(monotonic() - taken_at)
                        return
                    await self._tell(turn, Cursor(), said.accepted(turn_id, question.conversation_id))
                case Resume(turn_id, after_seq, attempt):
                    await self._tell(await self._desk.resume(turn_id), Cursor(after_seq, attempt))
                case Cancel(turn_id):
                    await self._desk.cancel(turn_id)
                case Rate(rating):
                    await self._desk.rate(rating)
                    await self._send(said.noted(turn_id))
                case never:
                    assert_never(never)
        except HeadraceError as problem:
            await self._send(said.error(turn_id, problem))
        except WebSocketDisconnect:
            # The reader notices it as well and ends the chat.
            return
        except Exception as exc:  # noqa: BLE001 - whoever asked must hear something, whatever went wrong
            log.error("a frame could not be answered", error=type(exc).__name__)
            await self._send(said.error(turn_id, Retryable("something went wrong here: ask again")))

    async def _tell(self, turn: HeldTurn, cursor: Cursor, first: said.JsonObject | None = None) -> None:
        async with self._desk.following(turn, self._settings.resume_seconds):
            if first is not None:
                await self._send(first)
            async for event in turn.follow(cursor):
                for frame in said.frames_of(turn.turn_id, event):
                    await self._send(frame)

    async def _send(self, frame: said.JsonObject) -> None:
        async with self._sending:
            states = self._websocket.application_state, self._websocket.client_state
            if states == (WebSocketState.CONNECTED, WebSocketState.CONNECTED):
                await self._websocket.send_text(orjson.dumps(frame).decode())


def _too_many_sockets(limit: int) -> Response:
    message = f"{limit} websockets are open, the limit of this gateway: connect again in {_SOCKET_RETRY_S} s\n"
    return PlainTextResponse(message, 503, headers={"retry-after": str(_SOCKET_RETRY_S)})


def _id_of(frame: Frame) -> str:
    match frame:
        case Ask(question):
            return question.turn_id
        case Rate(rating):
            return rating.turn_id
        case Resume(turn_id) | Cancel(turn_id):
            return turn_id
        case never:
            assert_never(never)
