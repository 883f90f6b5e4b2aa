"""Ray's head node as one process of ours, with its children on its leash: no ports but loopback, no files that stay."""

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from headrace.embedded import ray_hook
from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess, accepts
from headrace.embedded.scratch import ScratchFolder
from headrace.messaging.errors import Fatal

# Importing Ray in four processes on a busy machine takes its time.
START_SECONDS = 180.0
ATTEMPTS = 2
STOP_SECONDS = 15.0
# A resource that this head has: whoever deploys knows by it that there is no other node.
ON_ONE_MACHINE = "headrace-on-one-machine"
STARTED = "Ray runtime started."
# Answers travel as small messages; the least that Ray takes is 75 MiB.
OBJECT_STORE_BYTES = 100 * 1024 * 1024
# Below these lie well-known servers, above them our own parts.
WORKER_PORTS = (10_002, 19_999)
# Ray binds a socket at `<base>/headrace-ray-xxxxxxxx/session_…/sockets/…`, and the kernel takes 107 characters.
LONGEST_BASE = 20


class EmbeddedRay:
    """A head node on loopback, open only to those who hold its token.

    `start` may be called again after it died: same port, same token. Its actors are gone: whoever deployed them does
    it again. `report` hears, in words, what takes long.
    """

    name = "ray"

    def __init__(self, *, log: Path, report: Callable[[str], None] = lambda _: None) -> None:
        self._log = log
        self._report = report
        self._port: int | None = None
        self._token = secrets.token_hex(16)
        self._folder: ScratchFolder | None = None
        self._process: ChildProcess | None = None

    @property
    def address(self) -> str:
        """`host:port` for `ray.init`, from `start` on."""
        if self._port is None:
            raise RuntimeError("Ray has no address before its start")
        return f"{LOOPBACK}:{self._port}"

    @property
    def process(self) -> ChildProcess | None:
        """The process that holds all of Ray's, from `start` on."""
        return self._process

    @property
    def environment(self) -> Mapping[str, str]:
        """What a driver needs in its environment, beside the address."""
        return {
            "RAY_AUTH_MODE": "token",
            # In the environment, so that Ray writes none into the home folder.
            "RAY_AUTH_TOKEN": self._token,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            # Despite its name: Ray takes 127.0.0.1 for its own address and listens nowhere else.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        }

    async def start(self) -> None:
        """Start the head; return when drivers can attach."""
        for left in reversed(range(ATTEMPTS)):
            try:
                await self._launch()
            except Fatal as exc:
                if not left:
                    raise
                self._report(f"trying again: {str(exc).splitlines()[0]}")
            else:
                return

    async def _launch(self) -> None:
        self._clear()
        base = Path(tempfile.gettempdir())
        short = base if len(str(base)) <= LONGEST_BASE else Path("/tmp")  # noqa: S108 - a folder of our own is made in it
        self._folder = ScratchFolder("headrace-ray-", base=short)
        port = self._port = self._port or free_port()
        options = {
            "port": port,
            "include-dashboard": "false",
            "dashboard-agent-listen-port": free_port(),
            "object-store-memory": OBJECT_STORE_BYTES,
            "min-worker-port": WORKER_PORTS[0],
            "max-worker-port": WORKER_PORTS[1],
            "temp-dir": self._folder.path,
            "include-log-monitor": "false",
            "log-color": "false",
            "resources": json.dumps({ON_ONE_MACHINE: 1}),
        }
        command = [
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            "--head",
            "--block",
            "--disable-usage-stats",
            "--no-monitor",
        ]
        command += [f"--{key}={value}" for key, value in options.items()]
        environment = {
            **os.environ,
            **self.environment,
            "RAY_START_HOOK": f"{ray_hook.__name__}.adjust",
        }
        self._process = ChildProcess("ray", command, log=self._log, env=environment)
        self._process.start()
        try:
            await self._process.ready(self._started, seconds=START_SECONDS, every=0.1)
        except Fatal:
            self._process.kill()
            raise

    async def stop(self) -> None:
        """Stop all of Ray and remove its folder."""
        if self._process is not None:
            await self._process.stop(seconds=STOP_SECONDS)
        self._clear()

    async def _started(self) -> bool:
        return (
            self._process is not None
            and any(STARTED in line for line in self._process.tail(100))
            and await accepts(LOOPBACK, self._port or 0)
        )

    def _clear(self) -> None:
        if self._folder is not None:
            self._folder.remove()
            self._folder = None
