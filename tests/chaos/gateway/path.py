"""Gateways as their own processes on a real broker, with the services behind them or without."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import yaml

from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.scratch import ScratchFolder
from headrace.embedded.topics import ensure_topics
from headrace.embedded.valkey import EmbeddedValkey
from tests.chaos.path.infra import copy_infra
from tests.chaos.path.kept import KeptService

MODEL: Final = "paced"
# The shortest way through all that a chat passes: without grounding no embeddings compete for the processor.
STAGES: Final = ("preprocessing", "safety", "inference", "postprocessing")
_DEADLINE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Pace:
    """A mock model: so many answers at the same time, each so many words long, a word every so many milliseconds."""

    slots: int
    words: int
    delay_ms: int

    @property
    def per_second(self) -> float:
        """What it can do at most."""
        return self.slots * 1000 / (self.words * self.delay_ms)


@dataclass(slots=True)
class GatewayPath:
    """What runs."""

    folder: Path
    bootstrap: str
    services: list[KeptService]
    gateways: list[KeptService]

    def unasked(self) -> list[str]:
        """A sentence for each process that ended by itself."""
        return [
            f"{ending.instance} {ending.how} by itself, {ending.seconds:.0f} s after its start"
            for service in (*self.services, *self.gateways)
            for ending in service.endings
            if not ending.asked
        ]

    def save_logs(self) -> str:
        """Copy the logs to where they outlive the run; the folder."""
        kept = Path(tempfile.gettempdir()) / f"headrace-chaos-logs-{uuid4().hex[:8]}"
        shutil.copytree(self.folder / "logs", kept)
        return str(kept)


@asynccontextmanager
async def running_gateways(
    count: int, *, behind: Sequence[str] = (), pace: Pace | None = None, told: Mapping[str, str] | None = None
) -> AsyncIterator[GatewayPath]:
    """Start a broker, a store, the services `behind` and so many gateways; stop them all at the end."""
    async with AsyncExitStack() as stack:
        scratch = ScratchFolder("headrace-chaos-")
        stack.callback(scratch.remove)
        infra = _infra(scratch.path, pace)
        broker, valkey = EmbeddedKafka(), EmbeddedValkey()
        stack.push_async_callback(valkey.stop)
        stack.push_async_callback(broker.stop)
        await asyncio.gather(broker.start(), valkey.start())
        await ensure_topics(broker.address)
        environment = {
            "HEADRACE_KAFKA_BOOTSTRAP": broker.address,
            "HEADRACE_REDIS_URL": valkey.address,
            "HEADRACE_DATA_DIR": str(scratch.path / "data"),
            "HEADRACE_INFRA_DIR": str(infra),
            "HEADRACE_INFERENCE_RUNTIME": "local",
            "HEADRACE_INFERENCE_WARM_MODELS": f'["{MODEL}"]',
            "HEADRACE_SPAN_STORE": "off",
            **(told or {}),
        }
        logs = scratch.path / "logs"

        def kept(name: str, number: int) -> KeptService:
            slot = {"HEADRACE_GATEWAY_SLOT": str(number)}
            return KeptService(
                name, number, f"services.{name}.app", logs=logs, environment=lambda: {**environment, **slot}
            )

        path = GatewayPath(
            scratch.path,
            broker.address,
            [kept(name, 0) for name in behind],
            [kept("gateway", number) for number in range(count)],
        )
        everything = [*path.services, *path.gateways]

        async def stop() -> None:
            await asyncio.gather(*(service.stop() for service in everything))

        stack.push_async_callback(stop)
        for service in everything:
            service.start()
        await asyncio.gather(*(service.until_ready() for service in everything))
        yield path


def _infra(folder: Path, pace: Pace | None) -> Path:
    infra = copy_infra(folder)
    if pace is None:
        return infra
    # A sentence of four words: the output gate lets text go by sentences.
    text = " ".join(f"word{number}" + "." * (number % 4 == 3) for number in range(pace.words - 1)) + " {digest}."
    model = {
        "name": MODEL,
        "task": "chat",
        "revision": "1",
        "source": {"type": "builtin"},
        "engine": "mock",
        "mock": {"text": text, "delay_ms": pace.delay_ms},
        "resources": {"cpus": 0.1, "gpus": 0, "max_running": pace.slots},
        "limits": {"context_window": 32768, "max_new_tokens": 4096},
    }
    (infra / "models" / f"{MODEL}.yaml").write_text(yaml.safe_dump(model), encoding="utf-8")
    chat = infra / "pipelines" / "chat.yaml"
    pipeline: dict[str, Any] = yaml.safe_load(chat.read_text(encoding="utf-8"))
    pipeline["stages"] = [stage for stage in pipeline["stages"] if stage != "grounding"]
    pipeline["deadline_seconds"] = _DEADLINE_SECONDS
    pipeline["settings"]["model"] = MODEL
    chat.write_text(yaml.safe_dump(pipeline), encoding="utf-8")
    return infra
