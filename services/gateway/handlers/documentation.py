"""The pages that show the contracts: HTTP at `/docs`, topics at `/asyncapi`. Nothing of them comes from elsewhere."""

import json
from importlib import resources
from pathlib import Path
from typing import Final

import yaml
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from headrace.messaging.asyncapi import asyncapi_json
from services.gateway.settings import Settings

# Swagger UI draws its arrows from data URLs and writes styles into the page; it runs nothing that is not ours.
_SWAGGER_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def router(settings: Settings) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/docs")
    async def docs() -> Response:
        return _page(settings.page_dir / "docs.html", {"content-security-policy": _SWAGGER_POLICY})

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        return Response(await run_in_threadpool(openapi_json, settings.page_dir), media_type="application/json")

    @routes.get("/asyncapi")
    async def topics() -> Response:
        return _page(settings.page_dir / "asyncapi.html", {})

    @routes.get("/asyncapi.json")
    async def asyncapi() -> Response:
        return Response(await run_in_threadpool(asyncapi_json), media_type="application/json")

    return routes


def swagger_files() -> StaticFiles:
    """Swagger UI, as a package brings it: a page that loaded it from elsewhere would be blank behind a firewall."""
    return StaticFiles(directory=str(resources.files("fastapi_offline") / "static"))


def openapi_json(page_dir: Path) -> str:
    """`openapi.yaml`, as JSON."""
    return json.dumps(yaml.safe_load((page_dir / "openapi.yaml").read_text(encoding="utf-8")))


def _page(path: Path, headers: dict[str, str]) -> Response:
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)
