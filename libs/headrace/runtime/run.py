"""Runs a service as a process: `run(build_app(Settings()))` at the bottom of every `app.py`."""

import asyncio
import signal
import sys
from contextlib import suppress
from typing import Any

import structlog
import uvloop

from headrace.messaging import topics
from headrace.messaging.clock import SystemClock
from headrace.messaging.codec import decode
from headrace.messaging.errors import Fatal, HeadraceError, Undecodable
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.kafka import KafkaTransport
from headrace.messaging.tail import follow, offsets_at, partitions_of
from headrace.runtime.assembly import transactional
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.host import Host
from headrace.runtime.ops import OpsServer, Readiness
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.service import Service
from headrace.telemetry.logs import configure_logging
from headrace.telemetry.setup import setup_telemetry
from headrace.v1.prompts_pb2 import CancelRequested

log = structlog.get_logger()

# A restarted process reads the cancellations of this long ago again: their turns may still be on the way.
LOOK_BACK_MS = 300_000
RECONNECT_S = 1.0


def run(service: Service) -> None:
    """Run until SIGTERM or SIGINT, drain, and exit: 0 after a drain, 1 if the service could not go on."""
    configure_logging(service.name)
    shutdown = setup_telemetry(service.name)
    try:
        code = uvloop.run(_run(service))
    finally:
        shutdown()
    sys.exit(code)


async def _run(service: Service) -> int:
    settings = service.settings
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    readiness = Readiness(service.ready)
    ops = OpsServer(settings.ops_host, settings.ops_port, readiness)
    cancellations = Cancellations()
    listener: asyncio.Task[None] | None = None
    try:
        await ops.start()
        transport = KafkaTransport(
            settings.kafka_bootstrap,
            client_id=f"headrace.{service.name}",
            instance=settings.instance,
            exactly_once=transactional(service, Pipelines.load(infra_dir() / "pipelines")),
        )
        async with Host(service, transport, cancellations=cancellations) as host:
            listener = asyncio.create_task(_listen(settings.kafka_bootstrap, cancellations), name="cancellations")
            readiness.also("breaker", host.working)
            readiness.starting = False
            log.info("ready")
            return await _until(stop, host)
    except (HeadraceError, OSError) as exc:
        log.error("the service cannot run", error=type(exc).__name__, reason=str(exc))
        return 1
    finally:
        if listener:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener
        await ops.stop()


async def _until(stop: asyncio.Event, host: Host) -> int:
    asked = asyncio.create_task(stop.wait(), name="stop")
    waiting: set[asyncio.Future[Any]] = {asked, host.failed}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if host.failed.done():
        asked.cancel()
        error = host.failed.result()
        log.error("the service cannot go on", error=type(error).__name__, reason=str(error), exc_info=error)
        return 1
    log.info("draining")
    return 0


async def _listen(bootstrap: str, cancellations: Cancellations) -> None:
    """Read every cancellation; a broker that is away is tried again, since work goes on without."""
    while True:
        try:
            places = await partitions_of(bootstrap, topics.CANCELLATIONS)
            if not places:
                raise Fatal(f"the topic {topics.CANCELLATIONS} does not exist: create the topics first")
            start = await offsets_at(bootstrap, places, SystemClock().now_ms() - LOOK_BACK_MS)
            async for record in follow(bootstrap, start):
                with suppress(Undecodable):
                    message = decode(record.value or b"", CancelRequested, record.headers.get(CONTENT_TYPE, ""))
                    cancellations.request(message.turn_id, message.attempt)
        except Exception as exc:  # noqa: BLE001 - whatever the broker's client raises, listening goes on
            log.warning("cancellations cannot be read, trying again", error=type(exc).__name__)
            await asyncio.sleep(RECONNECT_S)
