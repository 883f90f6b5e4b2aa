"""One call of an OpenAI client, from its body to the turn that answers it. Nobody can resume it."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from fastapi import Request
from opentelemetry import propagate
from starlette.responses import Response

from headrace.messaging.errors import HeadraceError
from headrace.telemetry import metrics
from services.gateway.domain.admission import Busy
from services.gateway.domain.answers import Answer
from services.gateway.domain.requests import Question
from services.gateway.domain.turn_log import Cursor, Ended
from services.gateway.handlers.desk import Desk
from services.gateway.handlers.openai.responses import refused, too_busy
from services.gateway.handlers.turns import HeldTurn

# Nobody reads it; it stands in the access log.
_CLIENT_GONE = 499


async def ask(desk: Desk, question: Question, http: Request) -> HeldTurn | Response:
    """The turn, once Kafka has it; or why there is none."""
    read_at = time.monotonic()
    try:
        turn = await desk.ask(question, client=question.user, grace_s=0, parent=propagate.extract(dict(http.headers)))
    except HeadraceError as problem:
        return refused(problem, question.turn_id)
    if isinstance(turn, Busy):
        refusal = too_busy(turn, question.turn_id)
        metrics.REFUSAL_SECONDS.observe(time.monotonic() - read_at)
        return refusal
    return turn


async def final(desk: Desk, turn: HeldTurn) -> Answer:
    """The final word on the turn; `Invalid` where none came."""
    async with desk.following(turn, 0):
        async for event in turn.follow(Cursor()):
            if isinstance(event, Ended):
                return event.answer
    raise AssertionError("a turn was followed to its end without one")


async def unless_gone(http: Request, answering: Coroutine[Any, Any, Response]) -> Response:
    """The response; when the client goes before there is one, what it was waiting for is cancelled at once."""
    task = asyncio.create_task(answering)
    gone = asyncio.create_task(_disconnected(http))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else Response(status_code=_CLIENT_GONE)
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(http: Request) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
