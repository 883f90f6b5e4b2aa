"""A core in a process of its own, seen from the event loop."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Final

import structlog

from headrace.messaging.errors import Retryable
from services.inference.adapters.engines.interpreters import interpreter
from services.inference.adapters.engines.wire import COMMAND, EVENT, Command, Event, Failed, Ready, Start

log = structlog.get_logger()

# The longest line: a prompt or an event of many thousand tokens.
_LINE_BYTES: Final = 16 << 20
_EXIT_SECONDS: Final = 5.0
# What a numeric library reads once, while it loads: in a Ray replica it would otherwise find 1.
_THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Threads that spin while they wait for each other get a tenth done where others want the same cores.
_WAITING: Final = {"OMP_WAIT_POLICY": "PASSIVE"}


class CoreProcess:
    """Starts the process, carries lines both ways, and tells when it is gone. It never outlives its parent."""

    def __init__(self, start: Start, *, on_event: Callable[[Event], None], on_exit: Callable[[], None]) -> None:
        self._start = start
        self._on_event = on_event
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether commands reach it."""
        return self._reading is not None and not self._reading.done()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> Ready:
        """Return when the weights are loaded; `Retryable` with the core's own words if they cannot be."""
        chosen = interpreter(self._start.core)
        ours, theirs = socket.socketpair()
        threads = str(self._start.spec.resources.threads or len(os.sched_getaffinity(0)))
        module = "services.inference.adapters.engines.worker"
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                chosen.python,
                "-m",
                module,
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env={
                    **os.environ,
                    **_WAITING,
                    **dict.fromkeys(_THREADS, threads),
                    "PYTHONPATH": chosen.path,
                },
                # Ctrl-C goes to a whole group; the drain of the parent still needs the core.
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=_LINE_BYTES)
        self.send(self._start)
        first = await reader.readline()
        event = EVENT.validate_json(first) if first else Failed("", "its process ended while loading")
        if not isinstance(event, Ready):
            await self.close()
            reason = event.message if isinstance(event, Failed) else "it did not say ready"
            raise Retryable(f"model {self._start.spec.name} does not start on {self._start.core}: {reason}")
        self._reading = asyncio.create_task(self._read(reader), name=f"core of {self._start.spec.name}")
        return event

    def send(self, command: Command) -> None:
        """Hand a command over; whether the core lives shows in `alive`."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(COMMAND.dump_json(command) + b"\n")

    async def close(self) -> None:
        """End the process: it goes when its socket closes, and is killed if a step keeps it from noticing."""
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), _EXIT_SECONDS)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._on_event(EVENT.validate_json(line))
        except ConnectionError:
            pass
        log.error("engine process ended", model=self._start.spec.name, engine=self._start.core)
        self._on_exit()
