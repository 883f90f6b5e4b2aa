"""Three brokers on one machine, each a voter of the quorum: one may die and nothing acknowledged is lost."""

import asyncio
import os
import signal
from pathlib import Path
from time import monotonic
from typing import Final

from confluent_kafka.admin import AdminClient

from headrace.embedded import jars
from headrace.embedded.kafka import START_SECONDS, STOP_SECONDS, serves
from headrace.embedded.kafka_cache import StartUpCache, new_id
from headrace.embedded.kafka_config import server_properties
from headrace.embedded.ports import LOOPBACK, free_port
from headrace.embedded.process import ChildProcess
from headrace.messaging.errors import Fatal

BROKERS: Final = 3
# As production is set up: an acknowledged message is on two brokers at least, and so is where each group stands.
REPLICATED: Final = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "unclean.leader.election.enable": "false",
    # A single node can afford to hold elections at once; voters that wait for each other on a busy machine cannot.
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}


class Cluster:
    """Brokers and controllers in one, on loopback; a killed one is started again with what it had."""

    name = "kafka"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [(free_port(), free_port()) for _ in range(BROKERS)]
        self._cache: StartUpCache | None = None
        self._processes: dict[int, ChildProcess] = {}

    @property
    def address(self) -> str:
        """All brokers, for a client's bootstrap."""
        return ",".join(f"{LOOPBACK}:{port}" for port, _ in self._ports)

    async def start(self) -> None:
        """Format and start all; return when each serves clients."""
        self._cache = StartUpCache(await asyncio.to_thread(jars.fetch, lambda _done, _total: None))
        if not self._cache.made:
            await self._cache.make(lambda _text: None)
        cluster_id = new_id()
        for number in range(BROKERS):
            self._format(number, cluster_id)
            self.revive(number)
        await asyncio.gather(*(self.until_ready(number) for number in range(BROKERS)))

    def kill(self, number: int) -> None:
        """kill -9."""
        pid = self._processes[number].pid
        if pid is None:
            raise Fatal(f"broker {number} does not run")
        os.kill(pid, signal.SIGKILL)

    def revive(self, number: int) -> None:
        """Start a broker, on its port and with its data."""
        if self._cache is None:
            raise Fatal("the cluster was not started")
        home = self._home(number)
        command = self._cache.command(
            "kafka.Kafka", str(home / "server.properties"), scratch=home / "tmp", cache=self._cache.flags()
        )
        process = self._processes[number] = ChildProcess(
            f"kafka-{number}", command, log=self._folder / "logs" / f"kafka-{number}.log"
        )
        process.start()

    async def until_ready(self, number: int) -> None:
        """Return when the broker serves clients."""
        await self._processes[number].ready(lambda: serves(self._ports[number][0]), seconds=START_SECONDS, every=0.1)

    async def until_in_sync(self, seconds: float) -> None:
        """Return when every partition has all its replicas; `Fatal` after so long."""
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        until = monotonic() + seconds
        while behind := await asyncio.to_thread(_behind, admin):
            if monotonic() > until:
                raise Fatal(f"after {seconds:.0f} s not in sync: {', '.join(behind[:5])}; logs are in {self._folder}")
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Stop all."""
        await asyncio.gather(*(process.stop(seconds=STOP_SECONDS) for process in self._processes.values()))

    def _format(self, number: int, cluster_id: str) -> None:
        home, (port, controller_port) = self._home(number), self._ports[number]
        data = home / "data"
        assert self._cache is not None
        self._cache.format(data)
        (data / "meta.properties").write_text(
            f"cluster.id={cluster_id}\ndirectory.id={new_id()}\nnode.id={number}\nversion=1\n", encoding="utf-8"
        )
        voters = ",".join(f"{each}@{LOOPBACK}:{self._ports[each][1]}" for each in range(BROKERS))
        own = {**REPLICATED, "node.id": str(number), "controller.quorum.voters": voters}
        # Of two lines for one key the later counts.
        text = server_properties(data=data, port=port, controller_port=controller_port)
        text += "".join(f"{key}={value}\n" for key, value in own.items())
        (home / "server.properties").write_text(text, encoding="utf-8")

    def _home(self, number: int) -> Path:
        return self._folder / f"kafka-{number}"


def _behind(admin: AdminClient) -> list[str]:
    described = admin.list_topics(timeout=30).topics
    return [
        f"{name}/{number}"
        for name, topic in described.items()
        for number, partition in topic.partitions.items()
        if len(partition.isrs) < BROKERS
    ]
