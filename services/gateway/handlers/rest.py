"""The small ways in: feedback, traces, health, metrics, and the page."""

import asyncio

import orjson
import structlog
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import FileResponse, Response

from headrace.messaging.errors import HeadraceError, Invalid, Retryable
from headrace.telemetry.metrics import REGISTRY
from services.gateway.domain import said
from services.gateway.domain.fields import Fields, read_object
from services.gateway.domain.requests import RATED, Rating
from services.gateway.handlers.desk import Desk
from services.gateway.ports import TraceReader
from services.gateway.settings import Settings

log = structlog.get_logger()

_CHECK_SECONDS = 2.0
RATING = ("turn_id", *RATED)


def router(desk: Desk, traces: TraceReader, settings: Settings) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.post("/v1/feedback")
    async def rate(http: Request) -> Response:
        try:
            fields = Fields(read_object(await http.body(), max_bytes=settings.max_frame_bytes, what="body"))
            fields.only(RATING)
            return _json({"feedback_id": await desk.rate(Rating.read(fields, id_field="turn_id"))}, 202)
        except HeadraceError as problem:
            return _refused(problem)

    @routes.get("/v1/traces/{turn_id}")
    async def trace(turn_id: str) -> Response:
        try:
            key = Fields({"turn_id": turn_id}).turn_id("turn_id")
        except Invalid as problem:
            return _refused(problem)
        return _json({"turn_id": key, **await traces.waterfall(key)})

    @routes.get("/healthz")
    async def health() -> Response:
        return _json({"status": "alive"})

    @routes.get("/readyz")
    async def ready() -> Response:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await desk.ready()
        except (Retryable, TimeoutError) as problem:
            return _json({"status": "not ready", "missing": {"kafka": str(problem) or "no answer"}}, 503)
        return _json({"status": "ready"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/")
    async def page() -> Response:
        return FileResponse(settings.page_dir / "index.html", media_type="text/html; charset=utf-8")

    return routes


def _refused(problem: HeadraceError) -> Response:
    frame = said.error("", problem)
    status = (
        503
        if isinstance(problem, Retryable)
        else 413
        if isinstance(problem, Invalid) and problem.code == "too_large"
        else 400
    )
    headers = {"retry-after": str(frame["retry_after"])} if frame["retry_after"] else {}
    body = {name: frame[name] for name in ("code", "message", "field")}
    return Response(orjson.dumps({"error": body}), status, headers, "application/json")


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
