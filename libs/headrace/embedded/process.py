"""One child process: leashed to us, in a group of its own, its output in a file."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from headrace.messaging.errors import Fatal

LEASH = Path(__file__).with_name("leash.py")
TAIL_LINES = 20


class ChildProcess:
    """A command that runs until `stop`, or until we die.

    Start it in the main thread: the kernel ties a leash to the thread that forked, not to the process.
    """

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self._env = dict(env) if env is not None else None
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._cleared = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def returncode(self) -> int | None:
        """How it ended; None before its start and while it runs."""
        return self._popen.poll() if self._popen is not None else None

    def start(self) -> None:
        """Spawn the command; its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait for its end without polling; its exit status."""
        popen = self._started()
        if popen.poll() is None:
            loop = asyncio.get_running_loop()
            ended = asyncio.Event()
            pidfd = os.pidfd_open(popen.pid)
            loop.add_reader(pidfd, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(pidfd)
                os.close(pidfd)
        return popen.wait()

    async def ready(self, check: Callable[[], Awaitable[bool]], *, seconds: float, every: float = 0.02) -> None:
        """Poll until `check` holds; `Fatal` with the end of the log when it died or took too long."""
        until = monotonic() + seconds
        while not await check():
            if self.returncode is not None:
                raise self.failed(f"{self.ending} while starting")
            if monotonic() > until:
                raise self.failed(f"was not ready after {seconds:.0f} s")
            await asyncio.sleep(every)

    async def stop(self, *, seconds: float, also: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, insist after `seconds`, and leave nothing of its group."""
        if self._popen is None:
            return
        if self._popen.poll() is None:
            self._popen.send_signal(also)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), seconds)
        self.kill()

    def kill(self) -> None:
        """End it and all that it started, at once."""
        if self._popen is None or self._cleared:
            return
        # Children may outlive their parent, and Ray's workers lead groups of their own: the session holds them all.
        for pid in session(self._popen.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._popen.wait()
        # From now on the kernel may give the number to another.
        self._cleared = True

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.returncode
        if code is None:
            return "still runs"
        return f"ended with status {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    def failed(self, what: str) -> Fatal:
        """An error that says what happened, where the log is, and how the log ends."""
        lines = "".join(f"\n    {line}" for line in self.tail())
        return Fatal(f"{self.name} {what}; its log is {self.log}" + (f" and ends:{lines}" if lines else " (empty)"))

    def tail(self, lines: int = TAIL_LINES) -> list[str]:
        """The last lines it wrote since its start."""
        try:
            with self.log.open("rb") as output:
                output.seek(max(self._log_start, output.seek(0, os.SEEK_END) - 16_384))
                return output.read().decode("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            return []

    def _started(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise Fatal(f"{self.name} was not started")
        return self._popen


def session(leader: int) -> set[int]:
    """The living processes of the session that a process leads, itself included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in parentheses may hold anything.
            state, _parent, _group, its_session = stat.read_text(errors="replace").rsplit(")", 1)[1].split()[:4]
            if int(its_session) == leader and state != "Z":
                found.add(int(stat.parent.name))
    return found


async def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    return await reply(host, port, b"") is not None


async def reply(host: str, port: int, question: bytes) -> bytes | None:
    """The first bytes that a server answers to a question; None when nobody listens."""
    writer = None
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(question)
            return await reader.read(1024) if question else b""
    except (OSError, TimeoutError):
        return None
    finally:
        if writer is not None:
            writer.close()
