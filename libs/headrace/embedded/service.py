"""A service as a process under the supervisor."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess, reply

# The first start of a service that loads or converts a model.
START_SECONDS = 900.0
# Beside the service's own time to drain: closing its clients, flushing its spans.
CLOSING_SECONDS = 10.0


class ServiceProcess:
    """`python -m services.<name>.app`, ready when its `/readyz` says so.

    `environment` is asked at each start: the addresses of the parts are known only then.
    """

    def __init__(
        self,
        name: str,
        *,
        log: Path,
        environment: Callable[[], Mapping[str, str]],
        drain_seconds: float,
        port: int | None = None,
    ) -> None:
        self._name = name
        self._log = log
        self._environment = environment
        self._drain_seconds = drain_seconds
        # The gateway answers for itself at the port of its page; the others get a free one.
        self._port = port
        self._process: ChildProcess | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        """Its health, readiness and metrics."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def process(self) -> ChildProcess | None:
        return self._process

    async def start(self) -> None:
        port = self._port = self._port or free_port()
        environment = {
            **os.environ,
            **self._environment(),
            "HEADRACE_INSTANCE": f"{self._name}-0",
            "HEADRACE_OPS_PORT": str(port),
        }
        command = [sys.executable, "-m", f"services.{self._name}.app"]
        self._process = ChildProcess(self._name, command, log=self._log, env=environment)
        self._process.start()
        await self._process.ready(lambda: _is_ready(port), seconds=START_SECONDS, every=0.2)

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop(seconds=self._drain_seconds + CLOSING_SECONDS)


async def _is_ready(port: int) -> bool:
    answer = await reply(LOOPBACK, port, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return answer is not None and answer.startswith(b"HTTP/1.1 200")
