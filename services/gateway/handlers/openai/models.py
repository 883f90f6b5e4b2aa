"""`/v1/models`."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from services.gateway.domain.openai.errors import error_body
from services.gateway.handlers.openai.responses import json_response
from services.gateway.ports import ListedModel, ModelList


def router(models: ModelList) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/v1/models")
    async def list_models() -> Response:
        listed = await run_in_threadpool(models.listed)
        return json_response({"object": "list", "data": [_shape(model) for model in listed]})

    @routes.get("/v1/models/{name}")
    async def show_model(name: str) -> Response:
        listed = await run_in_threadpool(models.listed)
        for model in listed:
            if model.name == name:
                return json_response(_shape(model))
        known = ", ".join(model.name for model in listed)
        message = f"unknown model {name[:64]!r}: use one of {known}"
        body = error_body(message, kind="invalid_request_error", code="model_not_found", param="model")
        return json_response(body, 404)

    return routes


def _shape(model: ListedModel) -> dict[str, Any]:
    # Nobody notes when a model was made: their clients want the field, and 0 says nothing.
    shape = {"id": model.name, "object": "model", "created": 0, "owned_by": "headrace"}
    return {**shape, "headrace": {"task": model.task, "context_window": model.context_window}}
