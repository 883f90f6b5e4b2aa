"""Apache Kafka as one process: the JVM comes from a wheel, the jars from Maven Central."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

from headrace.embedded import jars
from headrace.embedded.kafka_cache import StartUpCache
from headrace.embedded.kafka_config import server_properties
from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess, accepts
from headrace.embedded.scratch import ScratchFolder
from headrace.messaging.admin import broker_answers
from headrace.messaging.errors import Fatal

WELL_KNOWN_PORT = 9092
# A first start on a busy machine loads the JVM without its cache.
START_SECONDS = 90.0
STOP_SECONDS = 15.0


class EmbeddedKafka:
    """One broker, controller included, on loopback.

    `start` may be called again after the broker died: it comes back on its port with its data. Without `data`
    everything goes with `stop`. `report` hears, in words, what takes long.
    """

    name = "kafka"

    def __init__(
        self, data: Path | None = None, *, log: Path | None = None, report: Callable[[str], None] = lambda _: None
    ) -> None:
        self._home = data
        self._ephemeral = data is None
        self._scratch: ScratchFolder | None = None
        self._log = log
        self._report = report
        self._ports: tuple[int, int] | None = None
        self._process: ChildProcess | None = None

    @property
    def address(self) -> str:
        """`host:port` for a client's bootstrap, from `start` on."""
        if self._ports is None:
            raise RuntimeError("the broker has no address before its start")
        return f"{LOOPBACK}:{self._ports[0]}"

    @property
    def process(self) -> ChildProcess | None:
        """The broker's process, from `start` on."""
        return self._process

    async def start(self) -> None:
        """Start the broker; return when a client can use it, or raise `Fatal` with the end of its log."""
        cache = await self._prepare()
        if self._home is None:
            self._scratch = ScratchFolder("headrace-kafka-")
            self._home = self._scratch.path
        home = self._home
        if not (home / "data").exists():
            cache.format(home / "data")
        port, controller_port = self._ports = self._choose_ports(home / "ports.json")
        properties = home / "server.properties"
        properties.write_text(
            server_properties(data=home / "data", port=port, controller_port=controller_port), encoding="utf-8"
        )
        command = cache.command("kafka.Kafka", str(properties), scratch=home / "tmp", cache=cache.flags())
        self._process = ChildProcess("kafka", command, log=self._log or home / "kafka.log")
        self._process.start()
        await self._process.ready(lambda: serves(port), seconds=START_SECONDS)

    async def stop(self) -> None:
        """Shut down in order, so that the next start has nothing to recover."""
        if self._process is not None:
            await self._process.stop(seconds=STOP_SECONDS)
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = self._home = None

    async def _prepare(self) -> StartUpCache:
        given_up = threading.Event()

        def fetched(done: int, total: int) -> None:
            if given_up.is_set():
                raise Fatal("fetching was given up")
            self._report(f"fetching Apache Kafka: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

        try:
            cache = StartUpCache(await asyncio.to_thread(jars.fetch, fetched))
        except asyncio.CancelledError:
            # The thread cannot be cancelled: it ends after the jar at hand.
            given_up.set()
            raise
        if not cache.made:
            self._report("making Kafka's start-up cache: once, about 10 s")
            await cache.make(self._report)
        return cache

    def _choose_ports(self, remembered: Path) -> tuple[int, int]:
        """The ports of the last start where they are free, so that clients find the broker again."""
        if self._ports is not None:
            return self._ports
        last = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else []
        # Two stacks at once: only the one with a folder of its own takes the port that everybody knows.
        first = last[:1] or ([] if self._ephemeral else [WELL_KNOWN_PORT])
        port = free_port(*first)
        controller_port = free_port(*last[1:2])
        remembered.write_text(json.dumps([port, controller_port]), encoding="utf-8")
        return port, controller_port


async def serves(port: int) -> bool:
    """Whether the broker on this port serves clients."""
    return await accepts(LOOPBACK, port) and await broker_answers(f"{LOOPBACK}:{port}")
