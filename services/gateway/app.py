"""The gateway's composition root: `build_app` wires it, running the module serves it."""

import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from headrace.messaging.contract import Publisher
from headrace.messaging.kafka import KafkaPublisher
from headrace.runtime.paths import infra_dir
from headrace.stores.redis import connect
from headrace.telemetry import metrics
from headrace.telemetry.logs import configure_logging
from headrace.telemetry.setup import setup_telemetry
from services.gateway.adapters.backlog import KafkaBacklog
from services.gateway.adapters.index import RedisTurnIndex
from services.gateway.adapters.models import RegisteredModels
from services.gateway.adapters.replies import KafkaReplyTail
from services.gateway.adapters.traces import StoredTraces
from services.gateway.domain.doors import Doors
from services.gateway.domain.shelf import Shelf
from services.gateway.handlers import documentation, rest, sockets
from services.gateway.handlers.desk import Desk
from services.gateway.handlers.guarding import Guard
from services.gateway.handlers.openai import chat, embeddings
from services.gateway.handlers.openai import models as model_routes
from services.gateway.handlers.serving import DrainingServer, raise_file_limit
from services.gateway.handlers.turns import Turns
from services.gateway.ports import BacklogSource, ModelList, ReplyTail, TraceReader, TurnIndex
from services.gateway.settings import Settings


def build_app(
    settings: Settings,
    *,
    publisher: Publisher | None = None,
    tail: ReplyTail | None = None,
    index: TurnIndex | None = None,
    traces: TraceReader | None = None,
    models: ModelList | None = None,
    backlog: BacklogSource | None = None,
) -> FastAPI:
    """Wire the gateway; nothing connects before its lifespan begins."""
    resources: list[AbstractAsyncContextManager[object]] = []
    if publisher is None:
        publisher = KafkaPublisher(settings.kafka_bootstrap, "headrace.gateway")
        resources.append(publisher)
    if index is None:
        redis = connect(settings.redis_url)
        index = RedisTurnIndex(redis, settings.tenant)
        resources.append(redis)
    doors = Doors(settings.limits)
    metrics.WAITING.set_function(lambda: doors.answers.waiting)
    metrics.WAITING_LIMIT.set_function(lambda: doors.answers.limit)
    desk = Desk(
        publisher=publisher,
        tail=tail or KafkaReplyTail(settings.kafka_bootstrap),
        index=index,
        turns=Turns(
            shelf=Shelf(settings.finished_bytes), stragglers_s=settings.stragglers_seconds, wait_s=settings.wait_seconds
        ),
        doors=doors,
        backlog=backlog or KafkaBacklog(settings.kafka_bootstrap),
        tenant=settings.tenant,
        gateway=settings.instance,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for resource in resources:
                await stack.enter_async_context(resource)
            stack.push_async_callback(desk.stop)
            await desk.start(settings.slot)
            yield

    app = FastAPI(
        title="Headrace gateway",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # The root span of a turn is ours: from the frame to the last token, not from the request to its response.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        max_body_size=settings.max_socket_bytes,
        middleware=[Middleware(Guard, origins=settings.origins)],
    )
    app.state.desk = desk
    app.include_router(sockets.router(desk, settings))
    app.include_router(chat.router(desk, settings))
    app.include_router(embeddings.router(desk, settings))
    app.include_router(model_routes.router(models or RegisteredModels(infra_dir() / "models")))
    app.include_router(rest.router(desk, traces or StoredTraces(), settings))
    app.include_router(documentation.router(settings))
    app.mount("/docs/swagger", documentation.swagger_files(), name="swagger")
    app.mount("/page", StaticFiles(directory=settings.page_dir), name="page")
    return app


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    raise_file_limit()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn drains on the signal and raises it again afterwards: by then all is done and the exit code is 0.
        signal.signal(number, lambda *_: None)
    DrainingServer(build_app(settings), settings).run()


if __name__ == "__main__":
    configure_logging("gateway")
    shutdown = setup_telemetry("gateway")
    try:
        serve(Settings())
    finally:
        shutdown()
