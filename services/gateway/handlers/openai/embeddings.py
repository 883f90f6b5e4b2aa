"""`/v1/embeddings`."""

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from headrace.messaging.errors import HeadraceError, Invalid
from services.gateway.domain.answers import Status
from services.gateway.domain.fields import read_object
from services.gateway.domain.openai.embeddings import EmbeddingRequest, embeddings, read_request
from services.gateway.handlers.desk import Desk
from services.gateway.handlers.openai.calling import ask, final, unless_gone
from services.gateway.handlers.openai.responses import failure, json_response, refused
from services.gateway.handlers.turns import HeldTurn
from services.gateway.settings import Settings


def router(desk: Desk, settings: Settings) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post("/v1/embeddings")
    async def embed(http: Request) -> Response:
        turn_id = str(uuid.uuid4())
        try:
            body = read_object(await http.body(), max_bytes=settings.max_frame_bytes, what="body")
            request = read_request(body, turn_id)
        except HeadraceError as problem:
            return refused(problem, turn_id)
        turn = await ask(desk, request.question, http)
        return turn if isinstance(turn, Response) else await unless_gone(http, _answer(desk, turn, request))

    return routes


async def _answer(desk: Desk, turn: HeldTurn, request: EmbeddingRequest) -> Response:
    try:
        answer = await final(desk, turn)
    except Invalid as problem:
        return refused(problem, turn.turn_id)
    if answer.status is Status.ANSWERED:
        return json_response(embeddings(request, answer), turn_id=turn.turn_id)
    body, status = failure(answer)
    return json_response(body, status, turn_id=turn.turn_id)
