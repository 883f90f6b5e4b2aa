"""All that stands behind the gateway, played by the test: it sees prompts and says what the services would say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import Received
from headrace.messaging.tail import follow, partitions_of
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.prompts_pb2 import CancelRequested, PromptSubmitted
from headrace.v1.responses_pb2 import Error, ResponseCompleted, ResponseDelta
from services.gateway.adapters.replies import KafkaReplyTail
from services.gateway.ports import ReplyTail
from tests.fakes.memory_log import MemoryLog, MemoryPublisher
from tests.fakes.replies import MemoryReplyTail
from tests.fakes.waiting import until

M = TypeVar("M", bound=Message)
WATCHED = (topics.PROMPTS, topics.CANCELLATIONS, topics.FEEDBACK)


class Wire(Protocol):
    """A log, in memory or on Kafka."""

    publisher: Publisher

    def tail(self) -> ReplyTail: ...

    def of(self, topic: str) -> list[Received]: ...


class MemoryWire:
    """The log in memory."""

    def __init__(self, partitions: int = 8) -> None:
        self.log = MemoryLog(partitions)
        self.publisher: Publisher = MemoryPublisher(self.log)

    def tail(self) -> ReplyTail:
        return MemoryReplyTail(self.log)

    def of(self, topic: str) -> list[Received]:
        return self.log.of(topic)


class KafkaWire:
    """The log on a broker; what the gateway publishes is collected as it comes."""

    def __init__(self, bootstrap: str, publisher: KafkaPublisher) -> None:
        self._bootstrap = bootstrap
        self.publisher: Publisher = publisher
        self.seen: list[Received] = []

    def tail(self) -> ReplyTail:
        return KafkaReplyTail(self._bootstrap)

    def of(self, topic: str) -> list[Received]:
        return [record for record in self.seen if record.topic == topic]


@asynccontextmanager
async def kafka_wire(bootstrap: str) -> AsyncIterator[KafkaWire]:
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(KafkaPublisher(bootstrap, "test"))
        wire = KafkaWire(bootstrap, publisher)
        start = {place: None for topic in WATCHED for place in await partitions_of(bootstrap, topic)}
        begun = asyncio.Event()

        async def collect() -> None:
            async for record in follow(bootstrap, dict(start), started=lambda _positions: begun.set()):  # type: ignore[arg-type]  # called like one
                wire.seen.append(record)

        collecting = asyncio.create_task(collect())
        try:
            await asyncio.wait_for(begun.wait(), 20)
            yield wire
        finally:
            collecting.cancel()
            with suppress(asyncio.CancelledError):
                await collecting


@dataclass
class AskedTurn:
    """One prompt as the services got it, and their voice."""

    wire: Wire
    prompt: PromptSubmitted
    received: Received
    partition: int
    said: list[str] = field(default_factory=list)

    async def delta(self, text: str, *, seq: int | None = None, attempt: int = 1, verdict_id: str = "v1") -> None:
        seq = len(self.said) if seq is None else seq
        self.said.append(text)
        message = ResponseDelta(turn_id=self.prompt.turn_id, attempt=attempt, seq=seq, text=text, verdict_id=verdict_id)
        await self._say(topics.RESPONSE_DELTAS, message)

    async def complete(self, completed: ResponseCompleted | None = None) -> ResponseCompleted:
        completed = completed or ResponseCompleted(
            attempt=1,
            status=ResponseCompleted.ANSWERED,
            text="".join(self.said),
            delta_count=len(self.said),
            finish_reason="stop",
        )
        completed.turn_id = self.prompt.turn_id
        completed.conversation_id = self.prompt.conversation_id
        await self._say(topics.RESPONSES, completed)
        return completed

    async def fail(self, error: Error) -> None:
        await self.complete(ResponseCompleted(status=ResponseCompleted.FAILED, error=error, finish_reason="error"))

    async def _say(self, topic: str, message: Message) -> None:
        await self.wire.publisher.publish(
            Outgoing(topic=topic, key=self.prompt.conversation_id, message=message, partition=self.partition)
        )


class Pipeline:
    """The services, as far as a gateway can tell."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def asked_now(self) -> dict[str, list[AskedTurn]]:
        found: dict[str, list[AskedTurn]] = {}
        for record, prompt in self._read(topics.PROMPTS, PromptSubmitted):
            partition = int(record.headers[headers.REPLY_PARTITION])
            found.setdefault(prompt.turn_id, []).append(AskedTurn(self.wire, prompt, record, partition))
        return found

    async def asked(self, turn_id: str) -> AskedTurn:
        """The prompt of this turn, once it is on its topic."""
        await until(f"the prompt of {turn_id}", lambda: turn_id in self.asked_now())
        return self.asked_now()[turn_id][0]

    async def asked_any(self) -> AskedTurn:
        """The latest prompt."""
        await until("a prompt", self.asked_now)
        return [*self.asked_now().values()][-1][-1]

    def cancelled(self) -> set[str]:
        return {message.turn_id for _, message in self._read(topics.CANCELLATIONS, CancelRequested)}

    def ratings(self) -> list[FeedbackSubmitted]:
        return [message for _, message in self._read(topics.FEEDBACK, FeedbackSubmitted)]

    def _read(self, topic: str, message: type[M]) -> list[tuple[Received, M]]:
        return [
            (record, decode(record.value or b"", message, record.headers.get(headers.CONTENT_TYPE, "")))
            for record in self.wire.of(topic)
        ]
