"""All services of the path, joined by a log in memory: real handlers, stores in memory, the engine that is given."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import PROTOBUF, Encoding, Outgoing
from headrace.messaging.retries import RetryPolicy
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.host import Host
from headrace.runtime.service import Service
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.turns_pb2 import Turn
from services.feedback.adapters.store import SqlStore
from services.feedback.app import build_app as feedback
from services.feedback.settings import Settings as FeedbackSettings
from services.grounding.app import build_app as grounding
from services.grounding.settings import Settings as GroundingSettings
from services.inference.app import build_app as inference
from services.inference.ports import Models
from services.inference.settings import Settings as InferenceSettings
from services.postprocessing.app import build_app as postprocessing
from services.postprocessing.settings import Settings as PostprocessingSettings
from services.preprocessing.app import build_app as preprocessing
from services.preprocessing.settings import Settings as PreprocessingSettings
from services.safety.app import build_app as safety
from services.safety.settings import Settings as SafetySettings
from tests.fakes.inference import MemoryCache, MemoryLedger
from tests.fakes.knowledge import InMemoryKnowledge, WordEmbeddings
from tests.fakes.memory_log import MemoryLog, MemoryTransport
from tests.fakes.stores import InMemoryConversationMemory, InMemoryMaskStore
from tests.fakes.waiting import until

M = TypeVar("M", bound=Message)

QUICK = RetryPolicy(tries=3, base_ms=10, ceiling_ms=50, rests_ms=(100,))


@dataclass
class Joined:
    """The path in one process, and what a test may reach of it."""

    models: Models
    log: MemoryLog = field(default_factory=lambda: MemoryLog(partitions=2))
    memory: InMemoryConversationMemory = field(default_factory=InMemoryConversationMemory)
    masks: InMemoryMaskStore = field(default_factory=InMemoryMaskStore)
    knowledge: InMemoryKnowledge = field(default_factory=InMemoryKnowledge)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    cache: MemoryCache = field(default_factory=MemoryCache)
    cancellations: Cancellations = field(default_factory=Cancellations)

    def services(self, store: SqlStore) -> Mapping[str, Service]:
        return {
            "preprocessing": preprocessing(PreprocessingSettings()),
            "grounding": grounding(
                GroundingSettings(min_score=0.1),
                knowledge=self.knowledge,
                embeddings=WordEmbeddings(),
                memory=self.memory,
            ),
            "safety": safety(SafetySettings(), masks=self.masks, injection=suspicious),
            "inference": inference(
                InferenceSettings(warm_models=()), models=self.models, ledger=self.ledger, cache=self.cache
            ),
            "postprocessing": postprocessing(PostprocessingSettings(), memory=self.memory, masks=self.masks),
            "feedback": feedback(FeedbackSettings(), store=store),
        }

    async def prompt(
        self, text: str = "", *, encoding: Encoding = PROTOBUF, reply: int | None = None, **fields: Any
    ) -> PromptSubmitted:
        """Produce a prompt and return it."""
        fields.setdefault("turn_id", str(uuid4()))
        message = PromptSubmitted(text=text, **fields)
        carried = {} if reply is None else {headers.REPLY_PARTITION: str(reply)}
        outgoing = Outgoing(topics.PROMPTS, message.conversation_id or message.turn_id, message,
                            encoding=encoding, headers=carried)  # fmt: skip
        await MemoryTransport(self.log).publisher.publish(outgoing)
        return message

    async def completed(self, turn_id: str, timeout_s: float = 30.0) -> ResponseCompleted:
        """The one final of a turn."""
        await until(f"the final of {turn_id}", lambda: self.finals(turn_id), timeout_s)
        (final,) = self.finals(turn_id)
        return final

    def finals(self, turn_id: str) -> list[ResponseCompleted]:
        return [each for each in self.messages(topics.RESPONSES, ResponseCompleted) if each.turn_id == turn_id]

    def deltas(self, turn_id: str) -> list[ResponseDelta]:
        """The deltas of a turn, deduplicated as a client does, the last attempt's in order."""
        mine = [each for each in self.messages(topics.RESPONSE_DELTAS, ResponseDelta) if each.turn_id == turn_id]
        last = max((each.attempt for each in mine), default=0)
        return [by_seq for _, by_seq in sorted({each.seq: each for each in mine if each.attempt == last}.items())]

    def turns(self, topic: str) -> list[Turn]:
        return self.messages(topic, Turn)

    def messages(self, topic: str, kind: type[M]) -> list[M]:
        return [
            decode(record.value or b"", kind, record.headers.get(headers.CONTENT_TYPE, ""))
            for record in self.log.of(topic)
        ]


def suspicious(text: str) -> float:
    """An injection judge that needs no training."""
    return 1.0 if "ignore all previous instructions" in text.lower() else 0.0


@asynccontextmanager
async def running(joined: Joined, store: SqlStore) -> AsyncIterator[Joined]:
    """All services consuming."""
    async with AsyncExitStack() as stack:
        for service in joined.services(store).values():
            host = Host(service, MemoryTransport(joined.log), cancellations=joined.cancellations, policy=QUICK)
            await stack.enter_async_context(host)
        yield joined
