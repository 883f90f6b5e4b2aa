"""`headrace up`: the whole stack on this machine, with a table that lives, until Ctrl-C."""

import asyncio
import logging
import os
import signal
from time import monotonic
from typing import Annotated, Final

import typer

from headrace.cli.output import Exit, fail
from headrace.cli.up_view import View, choose_view
from headrace.embedded import state
from headrace.embedded.ports import is_free
from headrace.embedded.scratch import ScratchFolder
from headrace.embedded.stack import SERVICES, Wanted, build_stack
from headrace.embedded.supervisor import Status, Supervisor
from headrace.messaging.errors import Fatal
from headrace.runtime.paths import data_dir

_EPILOG: Final = """What has an address in the environment (HEADRACE_KAFKA_BOOTSTRAP, HEADRACE_REDIS_URL,
HEADRACE_RAY_ADDRESS) is used where it is.

Exit status: 0 stopped by Ctrl-C and drained, 1 a part could not be started, 2 the command line is wrong.

Examples:

  headrace up

  headrace up --port 8090 --ephemeral

  headrace up --only inference --json
"""


def register(root: typer.Typer) -> None:
    """Add `headrace up`."""
    root.command("up", epilog=_EPILOG)(up)


def up(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Run this service and what it stands on; may be repeated.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The gateway's port: page, websocket, API.")] = 8080,
    ephemeral: Annotated[bool, typer.Option(help="Keep nothing: data, logs and traces go when it stops.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report each change as a line of JSON.")] = False,
) -> None:
    """Start Kafka, Valkey, Ray and a process per service; restart what dies; drain on Ctrl-C."""
    services = tuple(only or SERVICES)
    if unknown := [name for name in services if name not in SERVICES]:
        fail(f"no service is called {unknown[0]}: use {', '.join(SERVICES)}", Exit.USAGE)
    if "gateway" in services and not is_free(port):
        fail(f"port {port} is taken: choose another by --port, or `make run PORT={port + 1}`")
    # Our own words are in the view; the client library's, of a broker that is not there yet, are noise.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    scratch = ScratchFolder("headrace-") if ephemeral else None
    data = scratch.path if scratch else data_dir()
    try:
        with state.alone(data), choose_view(as_json=as_json) as view:
            asyncio.run(_run(Wanted(services, port, data, ephemeral), view))
    except Fatal as exc:
        fail(str(exc))
    finally:
        if scratch:
            scratch.remove()


async def _run(wanted: Wanted, view: View) -> None:
    began = monotonic()
    announced = False

    def changed(status: Status) -> None:
        nonlocal announced
        view.changed(status)
        ready = supervisor.all_ready
        # Known from the first time that all is ready, and good while something restarts: it comes back where it was.
        environment = stack.environment() if ready or announced else {}
        state.write(
            wanted.data, ready=ready, url=stack.gateway_url, environment=environment, statuses=supervisor.statuses
        )
        if ready and not announced:
            announced = True
            view.ready(stack.gateway_url, monotonic() - began)

    loop = asyncio.get_running_loop()

    def note(part: str, text: str) -> None:
        # Downloads report from their threads: two that wrote the state at once would take each other's file away.
        loop.call_soon_threadsafe(supervisor.note, part, text)

    stack = build_stack(wanted, note)
    supervisor = Supervisor(stack.members, changed)
    stop = asyncio.Event()

    def asked_to_stop() -> None:
        if stop.is_set():
            # Asked twice: no more patience.
            supervisor.kill()
            os._exit(Exit.FAILED)
        view.stopping()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_stop)
    view.watch(supervisor)
    await supervisor.run(stop)
    view.stopped()
