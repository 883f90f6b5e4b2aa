"""All services that consume, in one process: composed by their own `build_app`, on the log that is given."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from headrace.embedded.scratch import ScratchFolder
from headrace.embedded.valkey import EmbeddedValkey
from headrace.messaging.breaker import BreakerPolicy
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.host import Host
from headrace.runtime.service import Service
from services.feedback.app import build_app as feedback
from services.feedback.settings import Settings as FeedbackSettings
from services.grounding.app import build_app as grounding
from services.grounding.settings import Settings as GroundingSettings
from services.inference.adapters.local_models import LocalModels
from services.inference.app import build_app as inference
from services.inference.settings import Settings as InferenceSettings
from services.postprocessing.app import build_app as postprocessing
from services.postprocessing.settings import Settings as PostprocessingSettings
from services.preprocessing.app import build_app as preprocessing
from services.preprocessing.settings import Settings as PreprocessingSettings
from services.safety.app import build_app as safety
from services.safety.settings import Settings as SafetySettings
from tests.chaos.mutants.leaping import LeapingClock
from tests.chaos.mutants.strict_log import StrictTransport
from tests.chaos.path.infra import copy_infra
from tests.fakes.joined import suspicious
from tests.fakes.knowledge import InMemoryKnowledge, WordEmbeddings
from tests.fakes.memory_log import MemoryLog

# Undecodable records of internal topics speak against the stage, and mutants are nothing but a flood of them.
NO_BREAKER = BreakerPolicy(consecutive=0)


@dataclass(slots=True)
class Hosted:
    """The running services and what they keep."""

    log: MemoryLog
    hosts: Mapping[str, Host]
    knowledge: InMemoryKnowledge
    database: Path

    def failed(self) -> list[str]:
        """A sentence for each service that cannot go on."""
        return [
            f"{name} stopped: {host.failed.result()!r}"[:500] for name, host in self.hosts.items() if host.failed.done()
        ]


@asynccontextmanager
async def hosted(log: MemoryLog) -> AsyncIterator[Hosted]:
    """Start them all with a real store and the mock engine in its own process; leave nothing behind."""
    async with AsyncExitStack() as stack:
        scratch = ScratchFolder("headrace-mutants-")
        stack.callback(scratch.remove)
        valkey = EmbeddedValkey()
        stack.push_async_callback(valkey.stop)
        await valkey.start()
        told = {
            "HEADRACE_INFRA_DIR": str(copy_infra(scratch.path)),
            "HEADRACE_DATA_DIR": str(scratch.path / "data"),
            "HEADRACE_REDIS_URL": valkey.address,
        }
        stack.enter_context(environment(told))
        models = LocalModels()
        stack.push_async_callback(models.close)
        knowledge = InMemoryKnowledge()
        built: list[Service] = [
            preprocessing(PreprocessingSettings()),
            grounding(GroundingSettings(), knowledge=knowledge, embeddings=WordEmbeddings()),
            safety(SafetySettings(), injection=suspicious),
            inference(InferenceSettings(warm_models=()), models=models),
            postprocessing(PostprocessingSettings()),
            feedback(FeedbackSettings()),
        ]
        hosts: dict[str, Host] = {}
        for service in built:
            host = Host(
                service, StrictTransport(log), cancellations=Cancellations(), clock=LeapingClock(), breaker=NO_BREAKER
            )
            hosts[service.name] = await stack.enter_async_context(host)
        yield Hosted(log, hosts, knowledge, Path(FeedbackSettings().url().removeprefix("sqlite:///")))


@contextmanager
def environment(told: Mapping[str, str]) -> Iterator[None]:
    """With these variables; the former ones come back."""
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
