"""The path as it runs in production, on one machine: a real broker, a real store, every service a process."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.scratch import ScratchFolder
from headrace.embedded.topics import TopicPlan
from headrace.embedded.valkey import EmbeddedValkey
from headrace.messaging.admin import TopicSpec, apply_topics
from tests.chaos.path import journaled_inference
from tests.chaos.path.brokers import BROKERS, Cluster
from tests.chaos.path.infra import MODEL, copy_infra
from tests.chaos.path.kept import Ending, KeptService
from tests.chaos.path.load import TENANT

# Without the gateway: clients of the topics have no need of it.
STAGES: Final = ("preprocessing", "grounding", "safety", "inference", "postprocessing", "feedback")


class Broker(Protocol):
    """One broker or several."""

    @property
    def address(self) -> str: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """How many of each service, which builds of them, and what they need beside what everything has."""

    services: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 1))
    modules: Mapping[str, str] = field(default_factory=dict)
    brokers: int = 1
    topics: Mapping[str, TopicSpec] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def module(self, service: str) -> str:
        """What runs as this service: as shipped, but for inference, whose engines and ledger have a witness."""
        witnessed = {"inference": journaled_inference.__name__}
        return {**witnessed, **self.modules}.get(service, f"services.{service}.app")


@dataclass(slots=True)
class ServicePath:
    """A running path."""

    folder: Path
    broker: Broker
    valkey: EmbeddedValkey
    infra: Path
    layout: Layout
    services: list[KeptService] = field(default_factory=list)

    def environment(self) -> Mapping[str, str]:
        """What the services, and commands beside them, are told."""
        return {
            "HEADRACE_KAFKA_BOOTSTRAP": self.bootstrap,
            "HEADRACE_REDIS_URL": self.redis_url,
            "HEADRACE_DATA_DIR": str(self.data),
            "HEADRACE_INFRA_DIR": str(self.infra),
            "HEADRACE_INFERENCE_WARM_MODELS": f'["{MODEL}"]',
            "HEADRACE_INFERENCE_RUNTIME": "local",
            "HEADRACE_GATEWAY_TENANT": TENANT,
            # A stage that is away for some seconds must not look like overload, which another attack is about.
            "HEADRACE_GATEWAY_MIN_WAITING": "64",
            # A run writes millions of spans, which nobody would read.
            "HEADRACE_SPAN_STORE": "off",
            journaled_inference.JOURNAL: str(self.journal),
            **self.layout.environment,
        }

    @property
    def bootstrap(self) -> str:
        return self.broker.address

    @property
    def redis_url(self) -> str:
        return self.valkey.address

    @property
    def data(self) -> Path:
        """Where the services keep what is theirs."""
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        """What the engines' and the ledger's witness writes."""
        return self.folder / "journal"

    @property
    def endings(self) -> list[Ending]:
        """How processes of the services ended so far."""
        return [ending for service in self.services for ending in service.endings]

    def of(self, name: str) -> list[KeptService]:
        """All instances of a service."""
        return [service for service in self.services if service.name == name]

    def unasked(self) -> list[str]:
        """A sentence for each process that ended by itself."""
        return [
            f"{ending.instance} {ending.how} by itself, {ending.seconds:.0f} s after its start"
            for ending in self.endings
            if not ending.asked
        ]

    def save_logs(self) -> str:
        """Copy the logs to where they outlive the run; the folder."""
        kept = Path(tempfile.gettempdir()) / f"headrace-chaos-logs-{uuid4().hex[:8]}"
        shutil.copytree(self.folder / "logs", kept)
        return str(kept)


@asynccontextmanager
async def running_path(layout: Layout) -> AsyncIterator[ServicePath]:
    """Start everything, and stop everything at the end; nothing is left."""
    async with AsyncExitStack() as stack:
        scratch = ScratchFolder("headrace-chaos-")
        stack.callback(scratch.remove)
        folder = scratch.path
        infra = copy_infra(folder)
        broker: Broker = Cluster(folder) if layout.brokers > 1 else EmbeddedKafka()
        valkey = EmbeddedValkey()
        stack.push_async_callback(valkey.stop)
        stack.push_async_callback(broker.stop)
        await asyncio.gather(broker.start(), valkey.start())
        await apply_topics(broker.address, {**_planned(infra, layout.brokers), **layout.topics})
        path = ServicePath(folder, broker, valkey, infra, layout)
        for name, count in layout.services.items():
            for number in range(count):
                path.services.append(
                    KeptService(name, number, layout.module(name), logs=folder / "logs", environment=path.environment)
                )
        stack.push_async_callback(_stop, path)
        for service in path.services:
            service.start()
        await asyncio.gather(*(service.until_ready() for service in path.services))
        yield path


async def _stop(path: ServicePath) -> None:
    await asyncio.gather(*(service.stop() for service in path.services))


def _planned(infra: Path, brokers: int) -> dict[str, TopicSpec]:
    specs = TopicPlan.load(infra / "kafka" / "topics.yaml").specs()
    if brokers == 1:
        return specs
    safe = {"min.insync.replicas": "2"}
    return {name: TopicSpec(each.partitions, BROKERS, {**each.config, **safe}) for name, each in specs.items()}
