"""Health, readiness and metrics of a service, over HTTP on loopback unless told otherwise."""

import asyncio
import socket
from collections.abc import Mapping

import orjson
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headrace.messaging.errors import Fatal
from headrace.runtime.service import Check
from headrace.telemetry.metrics import REGISTRY

CHECK_TIMEOUT_S = 2.0


class Readiness:
    """Named checks: ready when each of them returns."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self.starting = True

    def also(self, name: str, check: Check) -> None:
        """Ask for one thing more."""
        self._checks[name] = check

    async def report(self) -> dict[str, str]:
        """What is not ready, by name; empty when all is."""
        if self.starting:
            return {"start": "still starting"}
        found: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    await check()
            except Exception as exc:  # noqa: BLE001 - any failure is the answer to the question
                found[name] = str(exc) or type(exc).__name__
        return found


class OpsServer:
    """Serves `/healthz`, `/readyz` and `/metrics` beside the service's work."""

    def __init__(self, host: str, port: int, readiness: Readiness) -> None:
        async def health(_request: Request) -> Response:
            return _json({"status": "alive"})

        async def ready(_request: Request) -> Response:
            missing = await readiness.report()
            return _json({"status": "not ready", "missing": missing}, 503) if missing else _json({"status": "ready"})

        async def metrics(_request: Request) -> Response:
            return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

        routes = [Route("/healthz", health), Route("/readyz", ready), Route("/metrics", metrics)]
        config = uvicorn.Config(
            Starlette(routes=routes), host=host, port=port, log_config=None, access_log=False, lifespan="off", workers=1
        )
        self._server = _Quiet(config)
        self._task: asyncio.Task[None] | None = None
        self._place = f"{host}:{port}"

    async def start(self) -> None:
        """Listen."""
        self._task = asyncio.create_task(self._server.serve(), name="ops")
        while not self._server.started:
            if self._task.done():
                raise Fatal(
                    f"cannot listen on {self._place} for health and metrics: set HEADRACE_OPS_PORT to a free port"
                )
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        if self._task:
            await self._task


class _Quiet(uvicorn.Server):
    """uvicorn without its own signal handlers: the service drains first."""

    def capture_signals(self) -> "_NoSignals":  # type: ignore[override]  # narrows a generator context manager
        return _NoSignals()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as exc:
            raise Fatal("the ops port is taken") from exc


class _NoSignals:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_exc: object) -> None:
        return None


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")
