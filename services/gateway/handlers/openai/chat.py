"""`/v1/chat/completions`."""

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, assert_never

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from headrace.messaging.errors import HeadraceError, Invalid
from services.gateway.domain.answers import Answer, Status
from services.gateway.domain.fields import MAX_SCHEMA_DEPTH, read_object
from services.gateway.domain.openai.chat_answer import Linear, chunk, completion, last_chunk, usage_chunk
from services.gateway.domain.openai.chat_request import Request as Asked
from services.gateway.domain.openai.chat_request import read_request
from services.gateway.domain.openai.errors import error_body
from services.gateway.domain.turn_log import Cursor, Ended, Event, Restarted, Shown
from services.gateway.handlers.desk import Desk
from services.gateway.handlers.openai.calling import ask, final, unless_gone
from services.gateway.handlers.openai.responses import failure, json_response, refused, request_id
from services.gateway.handlers.turns import HeldTurn
from services.gateway.settings import Settings


def router(desk: Desk, settings: Settings) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post("/v1/chat/completions")
    async def complete(http: Request) -> Response:
        turn_id = str(uuid.uuid4())
        try:
            raw = await http.body()
            body = read_object(raw, max_bytes=settings.max_frame_bytes, what="body", max_depth=MAX_SCHEMA_DEPTH)
            request = read_request(body, turn_id)
        except HeadraceError as problem:
            return refused(problem, turn_id)
        turn = await ask(desk, request.question, http)
        if isinstance(turn, Response):
            return turn
        call = Call(desk, turn, request)
        return await unless_gone(http, call.streamed() if request.stream else call.whole())

    return routes


class Call:
    """One accepted call. Nobody can resume it: when its client goes, the turn is cancelled at once."""

    def __init__(self, desk: Desk, turn: HeldTurn, request: Asked) -> None:
        self._desk = desk
        self._turn = turn
        self._request = request
        self._created = int(time.time())

    async def whole(self) -> Response:
        """The answer in one piece."""
        try:
            return self._ended(await final(self._desk, self._turn))
        except Invalid as problem:
            return refused(problem, self._turn.turn_id)

    async def streamed(self) -> Response:
        """The answer as server-sent events; what fails before its first word still gets its own status."""
        events = self._events()
        try:
            first = await anext(events)
        except Invalid as problem:
            await events.aclose()
            return refused(problem, self._turn.turn_id)
        if isinstance(first, Ended) and not _is_answer(first.answer):
            await events.aclose()
            return self._ended(first.answer)
        stream = self._stream(first, events)
        return StreamingResponse(
            stream,
            media_type="text/event-stream",
            headers={"cache-control": "no-store", **request_id(self._turn.turn_id)},
        )

    async def _events(self) -> AsyncGenerator[Event]:
        async with self._desk.following(self._turn, 0):
            async for event in self._turn.follow(Cursor()):
                yield event

    async def _stream(self, first: Event, rest: AsyncGenerator[Event]) -> AsyncIterator[bytes]:
        linear = Linear()
        yield self._event(chunk(self._request, {"role": "assistant", "content": ""}, self._created))
        try:
            async for event in _joined(first, rest):
                match event:
                    case Shown(text=text):
                        fresh = linear.add(text)
                        if fresh is None:
                            yield self._event(_RESTARTED)
                            return
                        if fresh:
                            yield self._event(chunk(self._request, {"content": fresh}, self._created))
                    case Restarted():
                        linear.restart()
                    case Ended(answer):
                        for end in self._end(answer):
                            yield end
                    case never:
                        assert_never(never)
        except Invalid as problem:
            yield self._event(error_body(str(problem), kind="server_error", code=problem.code))
        finally:
            await rest.aclose()

    def _end(self, answer: Answer) -> list[bytes]:
        if not _is_answer(answer):
            return [self._event(failure(answer)[0])]
        frames = [self._event(last_chunk(self._request, answer, self._created))]
        if self._request.include_usage:
            frames.append(self._event(usage_chunk(self._request, answer, self._created)))
        return [*frames, b"data: [DONE]\n\n"]

    def _ended(self, answer: Answer) -> Response:
        if _is_answer(answer):
            return json_response(completion(self._request, answer, self._created), turn_id=self._turn.turn_id)
        body, status = failure(answer)
        return json_response(body, status, turn_id=self._turn.turn_id)

    def _event(self, body: dict[str, Any]) -> bytes:
        return b"data: " + orjson.dumps(body) + b"\n\n"


_RESTARTED = error_body(
    "the model had to start over and its answer differs from what was sent: ask again",
    kind="server_error",
    code="restarted",
)


async def _joined(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    yield first
    async for event in rest:
        yield event


def _is_answer(answer: Answer) -> bool:
    return answer.status in {Status.ANSWERED, Status.REFUSED}
