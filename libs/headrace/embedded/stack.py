"""The whole stack on one machine: which parts, who needs whom, and what each process is told."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.embedded import model_steps
from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.model_steps import MODELS
from headrace.embedded.part import Elsewhere, Member, Part, Step
from headrace.embedded.ray_head import EmbeddedRay
from headrace.embedded.service import ServiceProcess
from headrace.embedded.step import Note
from headrace.embedded.topics import ensure_topics
from headrace.embedded.valkey import EmbeddedValkey
from headrace.messaging import topics

SERVICES: Final = ("gateway", *topics.SERVICES)
# Whoever loads a model or its tokenizer waits for the weights.
WITH_MODELS: Final = frozenset({"preprocessing", "grounding", "inference"})
WITH_RAY: Final = frozenset({"inference"})
DRAIN_SECONDS: Final = 20.0

KAFKA_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
REDIS_URL: Final = "HEADRACE_REDIS_URL"
RAY_ADDRESS: Final = "HEADRACE_RAY_ADDRESS"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked `headrace up` for."""

    services: tuple[str, ...]
    gateway_port: int
    data: Path
    ephemeral: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """The members for the supervisor, and the environment that tells others where they are."""

    members: tuple[Member, ...]
    environment: Callable[[], Mapping[str, str]]
    gateway_url: str


def build_stack(wanted: Wanted, note: Note) -> Stack:
    """Compose the stack; a part whose address stands in the environment is used where it is."""
    logs = wanted.data / "logs"
    kept = None if wanted.ephemeral else wanted.data
    kafka = _part("kafka", KAFKA_BOOTSTRAP) or EmbeddedKafka(
        kept and kept / "kafka", log=logs / "kafka.log", report=lambda text: note("kafka", text)
    )
    valkey = _part("valkey", REDIS_URL) or EmbeddedValkey(kept and kept / "valkey", log=logs / "valkey.log")
    ray = _ray(logs, note) if WITH_RAY.intersection(wanted.services) else None

    def environment() -> dict[str, str]:
        """Asked when the parts are up: only then are their ports known."""
        told = {"HEADRACE_DATA_DIR": str(wanted.data), KAFKA_BOOTSTRAP: kafka.address, REDIS_URL: valkey.address}
        if ray is not None:
            told[RAY_ADDRESS] = ray.address
        if isinstance(ray, EmbeddedRay):
            told.update(ray.environment)
        return told

    async def create_topics() -> str:
        created = await ensure_topics(kafka.address)
        return f"{len(created)} created" if created else "as planned"

    def service(name: str) -> Member:
        def told() -> Mapping[str, str]:
            return {**environment(), "HEADRACE_GATEWAY_PORT": str(wanted.gateway_port)}

        drain = float(os.environ.get("HEADRACE_DRAIN_SECONDS", DRAIN_SECONDS))
        process = ServiceProcess(
            name,
            log=logs / f"{name}.log",
            environment=told,
            drain_seconds=drain,
            port=wanted.gateway_port if name == "gateway" else None,
        )
        needs = {"kafka", "topics", "valkey"}
        needs |= {MODELS} if name in WITH_MODELS else set()
        bound = frozenset({"ray"}) if name in WITH_RAY else frozenset[str]()
        return Member(process, frozenset(needs) | bound, bound)

    members = [Member(kafka), Member(valkey), Member(Step("topics", create_topics), frozenset({"kafka"}))]
    if WITH_MODELS.intersection(wanted.services):
        members.append(Member(model_steps.fetching(logs, note)))
        # Only reviews want them: with everything up, and what somebody asks goes first.
        members.append(Member(model_steps.training(logs, note), frozenset({MODELS, *wanted.services}), optional=True))
    if ray is not None:
        # Not to start, but to stop: replicas write to Valkey until their end.
        members.append(Member(ray, frozenset({"valkey"})))
    members += [service(name) for name in wanted.services]
    url = f"http://127.0.0.1:{wanted.gateway_port}/" if "gateway" in wanted.services else ""
    return Stack(tuple(members), environment, url)


def _ray(logs: Path, note: Note) -> Part:
    return _part("ray", RAY_ADDRESS) or EmbeddedRay(log=logs / "ray.log", report=lambda text: note("ray", text))


def _part(name: str, variable: str) -> Part | None:
    address = os.environ.get(variable)
    return Elsewhere(name, address) if address else None
