"""`/v1/models`."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from services.gateway.handlers.openai.responses import json_response
from services.gateway.ports import ModelList


def router(models: ModelList) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get("/v1/models")
    async def list_models() -> Response:
        names = await run_in_threadpool(models.names)
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "headrace"} for name in names]
        return json_response({"object": "list", "data": listed})

    return routes
