"""The path with a sick wire before each of its dependencies; the services are processes, as shipped."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import yaml

from headrace.embedded.scratch import ScratchFolder
from headrace.embedded.topics import TopicPlan
from headrace.embedded.valkey import EmbeddedValkey
from headrace.messaging import topics
from headrace.messaging.admin import apply_topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from tests.chaos.path.infra import MODEL, copy_infra
from tests.chaos.path.kept import KeptService
from tests.chaos.path.load import TENANT
from tests.chaos.path.stack import STAGES
from tests.chaos.toxics.broker import ProxiedBroker
from tests.chaos.toxics.engine import ILLNESSES, EngineProcess
from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.qdrant import serving_qdrant
from tests.chaos.toxics.toxic import STRENGTHS, Kind
from tests.fakes.collector import Collector

Dependency = Literal["kafka", "redis", "qdrant", "model", "collector"]
DEPENDENCIES: Final[tuple[Dependency, ...]] = ("kafka", "redis", "qdrant", "model", "collector")
_COLLECTION: Final = "default"
_MARKER: Final = "[1]"


class Patient(Protocol):
    """A dependency that can be made sick, by kind and strength."""

    async def poison(self, kind: Kind, strength: int) -> None: ...

    async def relieve(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """A dependency behind a proxy."""

    proxy: ToxicProxy

    async def poison(self, kind: Kind, strength: int) -> None:
        await self.proxy.poison(STRENGTHS[kind][strength])

    async def relieve(self) -> None:
        await self.proxy.relieve()


@dataclass(frozen=True, slots=True)
class Engine:
    """The model."""

    process: EngineProcess

    async def poison(self, kind: Kind, strength: int) -> None:
        await self.process.poison(ILLNESSES[kind][strength])

    async def relieve(self) -> None:
        await self.process.relieve()


@dataclass(frozen=True, slots=True)
class SickPath:
    """A running path; `direct` reaches the broker past its proxy."""

    gateway: str
    direct: str
    patients: Mapping[Dependency, Patient]
    services: Mapping[str, KeptService]
    collector: Collector
    folder: Path

    def unasked(self) -> list[str]:
        """A sentence for each service that ended by itself: no dependency's illness may do that."""
        return [
            f"{ending.instance} {ending.how} by itself, {ending.seconds:.0f} s after its start"
            for service in self.services.values()
            for ending in service.endings
            if not ending.asked
        ]


@asynccontextmanager
async def running_path() -> AsyncIterator[SickPath]:
    """Start everything, and stop everything at the end; nothing is left."""
    async with AsyncExitStack() as stack:
        scratch = ScratchFolder("headrace-toxics-")
        stack.callback(scratch.remove)
        folder = scratch.path
        infra = _infra(folder)
        proxies: dict[Dependency, ToxicProxy] = {
            name: await stack.enter_async_context(ToxicProxy()) for name in DEPENDENCIES if name != "model"
        }
        broker, valkey = ProxiedBroker(folder, proxy_port=proxies["kafka"].port), EmbeddedValkey()
        stack.push_async_callback(valkey.stop)
        stack.push_async_callback(broker.stop)
        await asyncio.gather(broker.start(), valkey.start())
        collector = stack.enter_context(Collector())
        proxies["kafka"].upstream = broker.behind
        proxies["redis"].upstream = valkey.address.removeprefix("redis://").removesuffix("/0")
        proxies["qdrant"].upstream = await stack.enter_async_context(serving_qdrant())
        proxies["collector"].upstream = collector.endpoint.removeprefix("http://")
        await apply_topics(broker.direct, TopicPlan.load(infra / "kafka" / "topics.yaml").specs())
        environment = _environment(proxies, infra, folder)
        services = {
            name: KeptService(name, 0, f"services.{name}.app", logs=folder / "logs", environment=lambda: environment)
            for name in (*STAGES, "gateway")
        }
        stack.push_async_callback(_stop, services)
        for service in services.values():
            service.start()
        await asyncio.gather(*(service.until_ready() for service in services.values()))
        await _teach(broker.direct)
        patients: dict[Dependency, Patient] = {name: Wire(proxy) for name, proxy in proxies.items()}
        patients["model"] = Engine(EngineProcess(lambda: services["inference"].pid))
        yield SickPath(services["gateway"].address, broker.direct, patients, services, collector, folder)


def _infra(folder: Path) -> Path:
    infra = copy_infra(folder)
    path = infra / "models" / f"{MODEL}.yaml"
    model: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    # It cites whatever it was given, so that an answer shows whether there were sources.
    model["mock"] = {"text": f"Turbine {{digest}} runs {_MARKER}. Its head is steady.", "delay_ms": 5}
    path.write_text(yaml.safe_dump(model), encoding="utf-8")
    return infra


def _environment(proxies: Mapping[Dependency, ToxicProxy], infra: Path, folder: Path) -> Mapping[str, str]:
    return {
        "HEADRACE_KAFKA_BOOTSTRAP": proxies["kafka"].address,
        "HEADRACE_REDIS_URL": f"redis://{proxies['redis'].address}/0",
        "HEADRACE_QDRANT_URL": f"http://{proxies['qdrant'].address}",
        "HEADRACE_OTLP_ENDPOINT": f"http://{proxies['collector'].address}",
        "HEADRACE_DATA_DIR": str(folder / "data"),
        "HEADRACE_INFRA_DIR": str(infra),
        "HEADRACE_INFERENCE_WARM_MODELS": f'["{MODEL}"]',
        "HEADRACE_INFERENCE_RUNTIME": "local",
        "HEADRACE_GATEWAY_TENANT": TENANT,
        "HEADRACE_GROUNDING_DEFAULT_COLLECTION": _COLLECTION,
        # Whatever is there is a source.
        "HEADRACE_GROUNDING_MIN_SCORE": "-1",
    }


async def _teach(bootstrap: str) -> None:
    """One document, which every question finds."""
    document = KnowledgeDocument(
        document_id="gates.md",
        tenant=TENANT,
        collection=_COLLECTION,
        title="Gates",
        content_type="text/markdown",
        content="# Gates\n\nThe gate lets water into the penstock, at the foot of which the turbine runs.\n",
    )
    key = f"{TENANT}/{_COLLECTION}/{document.document_id}"
    async with KafkaPublisher(bootstrap, "teacher") as publisher:
        await publisher.publish(Outgoing(topics.KNOWLEDGE, key, document, tenant=TENANT))


async def _stop(services: Mapping[str, KeptService]) -> None:
    await asyncio.gather(*(service.stop() for service in services.values()))
