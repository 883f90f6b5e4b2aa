"""One instance of a service as a process of its own, started again at once whenever it ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess
from headrace.messaging.errors import Fatal

START_SECONDS: Final = 120.0
DRAIN_SECONDS: Final = 20.0
# Beside the drain: closing clients, flushing spans.
CLOSING_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
_ASK_READY: Final = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process of an instance ended. `asked`: the attack ended it, by SIGKILL or SIGTERM."""

    instance: str
    how: str
    status: int
    asked: bool
    seconds: float = 0.0


class KeptService:
    """`module` may change between starts: another build of the same service."""

    def __init__(
        self,
        name: str,
        number: int,
        module: str,
        *,
        logs: Path,
        environment: Callable[[], Mapping[str, str]],
        port: int | None = None,
    ) -> None:
        self.name = name
        self.instance = f"{name}-{number}"
        self.module = module
        self.endings: list[Ending] = []
        self.log = logs / f"{self.instance}.log"
        self._environment = environment
        self._port = port or free_port()
        self._process: ChildProcess | None = None
        self._asked = False
        self._leaving = False
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """`host:port` of its health, metrics and, for the gateway, its page."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def ready(self) -> bool:
        """Whether its last start has got as far as `/readyz`."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and keep it from now on."""
        self._keeping = asyncio.create_task(self._keep(), name=self.instance)

    async def until_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when it says that it is ready; `Fatal` with the end of its log after `seconds`."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            what = f"was not ready within {seconds:.0f} s"
            raise self._process.failed(what) if self._process else Fatal(f"{self.instance} {what}") from None

    def kill(self) -> bool:
        """kill -9, whatever it is doing; False where it is just being started again."""
        process = self._process
        if process is None or (pid := process.pid) is None:
            return False
        self._asked = True
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    async def restart(self, module: str | None = None) -> Ending:
        """SIGTERM, wait for its end, start it again, maybe another build of it: what an upgrade does."""
        process = self._process
        if process is None:
            raise Fatal(f"{self.instance} was not started")
        self.module = module or self.module
        self._ready.clear()
        self._asked = True
        self._ended.clear()
        began = monotonic()
        await process.stop(seconds=DRAIN_SECONDS + CLOSING_SECONDS)
        await self._ended.wait()
        ended = self.endings[-1]
        return Ending(ended.instance, ended.how, ended.status, asked=True, seconds=monotonic() - began)

    async def stop(self) -> None:
        """Drain and end it for good."""
        self._leaving = True
        if self._process is not None:
            await self._process.stop(seconds=DRAIN_SECONDS + CLOSING_SECONDS)
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping

    async def readiness(self) -> str:
        """What `/readyz` answers now, head and body; empty where nobody listens."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
                try:
                    writer.write(_ASK_READY)
                    return (await reader.read()).decode("utf-8", "replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return ""

    async def _keep(self) -> None:
        while not self._leaving:
            process = self._process = self._spawn()
            began = monotonic()
            with suppress(Fatal):
                # It may be killed while it starts; then it is started again below.
                await process.ready(self._is_ready, seconds=START_SECONDS, every=0.1)
                self._ready.set()
            status = await process.wait()
            self._ready.clear()
            ending = Ending(self.instance, process.ending, status, self._asked or self._leaving, monotonic() - began)
            self._asked = False
            self.endings.append(ending)
            self._ended.set()

    def _spawn(self) -> ChildProcess:
        environment = {
            **os.environ,
            **self._environment(),
            "HEADRACE_INSTANCE": self.instance,
            "HEADRACE_OPS_PORT": str(self._port),
            "HEADRACE_GATEWAY_PORT": str(self._port),
            "HEADRACE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        process = ChildProcess(self.instance, [sys.executable, "-m", self.module], log=self.log, env=environment)
        process.start()
        return process

    async def _is_ready(self) -> bool:
        return (await self.readiness()).startswith("HTTP/1.1 200")
