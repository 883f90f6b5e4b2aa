"""One broker whose clients come through a proxy: it tells them the proxy's port as its own."""

import asyncio
from pathlib import Path
from typing import Final

from headrace.embedded import jars
from headrace.embedded.kafka import START_SECONDS, STOP_SECONDS, serves
from headrace.embedded.kafka_cache import StartUpCache
from headrace.embedded.kafka_config import server_properties
from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess

_CLIENTS: Final = "CLIENTS"


class ProxiedBroker:
    """`direct` is where the attack itself looks; `behind` is what the proxy hands its connections to."""

    def __init__(self, folder: Path, *, proxy_port: int) -> None:
        self._home = folder / "kafka"
        self._proxy_port = proxy_port
        self._port, self._clients_port, self._controller_port = free_port(), free_port(), free_port()
        self._process: ChildProcess | None = None

    @property
    def direct(self) -> str:
        """Never poisoned."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def behind(self) -> str:
        """The listener for whoever comes through the proxy."""
        return f"{LOOPBACK}:{self._clients_port}"

    async def start(self) -> None:
        """Return when it serves clients."""
        cache = StartUpCache(await asyncio.to_thread(jars.fetch, lambda _done, _total: None))
        if not cache.made:
            await cache.make(lambda _text: None)
        data = self._home / "data"
        cache.format(data)
        text = server_properties(data=data, port=self._port, controller_port=self._controller_port)
        properties = self._home / "server.properties"
        # Of two lines for one key the later counts.
        properties.write_text(text + "".join(f"{key}={value}\n" for key, value in self._own()), encoding="utf-8")
        command = cache.command("kafka.Kafka", str(properties), scratch=self._home / "tmp", cache=cache.flags())
        self._process = ChildProcess("kafka", command, log=self._home / "kafka.log")
        self._process.start()
        await self._process.ready(lambda: serves(self._port), seconds=START_SECONDS)

    async def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            await self._process.stop(seconds=STOP_SECONDS)

    def _own(self) -> list[tuple[str, str]]:
        inside = f"PLAINTEXT://{LOOPBACK}:{self._port}"
        controller = f"CONTROLLER://{LOOPBACK}:{self._controller_port}"
        return [
            ("listeners", f"{inside},{_CLIENTS}://{LOOPBACK}:{self._clients_port},{controller}"),
            ("advertised.listeners", f"{inside},{_CLIENTS}://{LOOPBACK}:{self._proxy_port}"),
            (
                "listener.security.protocol.map",
                f"PLAINTEXT:PLAINTEXT,{_CLIENTS}:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ),
        ]
