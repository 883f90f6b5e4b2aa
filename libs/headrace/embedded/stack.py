"""The whole stack on one machine: which parts, who needs whom, and what each process is told."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.part import Elsewhere, Member, Part, Step
from headrace.embedded.process import LEASH, session
from headrace.embedded.ray_head import EmbeddedRay
from headrace.embedded.service import ServiceProcess
from headrace.embedded.topics import ensure_topics
from headrace.embedded.valkey import EmbeddedValkey
from headrace.messaging import topics
from headrace.messaging.errors import Fatal

SERVICES: Final = ("gateway", *topics.SERVICES)
# Whoever loads a model or its tokenizer waits for the weights.
WITH_MODELS: Final = frozenset({"preprocessing", "grounding", "inference"})
WITH_RAY: Final = frozenset({"inference"})
DRAIN_SECONDS: Final = 20.0

KAFKA_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
REDIS_URL: Final = "HEADRACE_REDIS_URL"
RAY_ADDRESS: Final = "HEADRACE_RAY_ADDRESS"

# Shows what a part, by its name, is busy with.
Note = Callable[[str, str], None]


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

    async def pull_models() -> str:
        command = [sys.executable, "-m", "headrace.cli.main", "models", "pull"]
        await run_step("models", command, logs / "models.log", lambda line: note("models", line))
        return "on this machine"

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
        needs |= {"models"} if name in WITH_MODELS else set()
        bound = frozenset({"ray"}) if name in WITH_RAY else frozenset[str]()
        return Member(process, frozenset(needs) | bound, bound)

    members = [Member(kafka), Member(valkey), Member(Step("topics", create_topics), frozenset({"kafka"}))]
    if WITH_MODELS.intersection(wanted.services):
        members.append(Member(Step("models", pull_models)))
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


async def run_step(name: str, command: Sequence[str], log: Path, line_written: Callable[[str], None]) -> None:
    """Run a command to its end, its output in a log and its latest line shown; `Fatal` when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    lines: list[str] = []
    try:
        with log.open("ab") as output:
            async for raw in process.stdout:
                output.write(raw)
                output.flush()
                if line := raw.decode("utf-8", "replace").strip():
                    lines.append(line)
                    line_written(line)
        code = await process.wait()
    finally:
        if process.returncode is None:
            for pid in session(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await process.wait()
    if code:
        ending = "".join(f"\n    {line}" for line in lines[-20:])
        raise Fatal(f"{name} ended with status {code}; its log is {log} and ends:{ending}")
