"""Dead letters as services write them, and what came of them on the topics that they went back to."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from zlib import crc32

from headrace.messaging import headers, topics
from headrace.messaging.clock import SystemClock
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import PROTOBUF, Outgoing
from headrace.messaging.dead_letters import bury
from headrace.messaging.errors import Retryable
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.letter_log import up_to_now
from headrace.messaging.records import Received, lenient
from headrace.v1.turns_pb2 import Prepared, Slip, Turn

INFERENCE = topics.turns("inference", "interactive")


def a_turn(
    name: str, *, tenant: str = "t1", remaining: Sequence[str] = ("inference", "output", "postprocessing")
) -> Turn:
    """A chat turn before its model call."""
    turn = Turn(
        turn_id=name,
        conversation_id=f"c-{name}",
        tenant=tenant,
        slip=Slip(pipeline="chat", version="1", remaining=remaining, lane="interactive"),
        prepared=Prepared(text="secret words of a user"),
    )
    turn.prompt.text = "secret words of a user"
    turn.deadline.FromMilliseconds(SystemClock().now_ms() - 60_000)
    return turn


def a_record(
    turn: Turn, *, topic: str = INFERENCE, offset: int | None = None, value: bytes | None = None, retried: bool = False
) -> Received:
    """The record of a turn, as a stage reads it; turns of different names stand at different offsets."""
    offset = crc32(turn.turn_id.encode()) if offset is None else offset
    raw: tuple[tuple[str, bytes], ...] = (
        (headers.MESSAGE_ID, f"{turn.turn_id}:safety".encode()),
        (headers.CONTENT_TYPE, content_type(Turn, PROTOBUF).encode()),
        (headers.TRACEPARENT, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (headers.TENANT, turn.tenant.encode()),
        (headers.DEADLINE, str(turn.deadline.ToMilliseconds()).encode()),
    )
    if retried:
        raw = (*raw, (headers.ATTEMPT, b"4"), (headers.NOT_BEFORE, b"1"), (headers.ORIGIN_TIMESTAMP, b"77"))
    return Received(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp_ms=1_795_000_000_000 + offset,
        key=turn.conversation_id.encode(),
        value=encode(turn) if value is None else value,
        raw_headers=raw,
        headers=lenient(raw),
    )


def dead(record: Received, *, stage: str = "inference", error: Exception | None = None) -> Outgoing:
    """The letter that a service makes of a record."""
    return bury(
        record,
        stage=stage,
        error=error or Retryable("the engine did not answer"),
        attempts=4,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        now_ms=SystemClock().now_ms(),
    )


async def publish(kafka: str, letters: Iterable[Outgoing]) -> None:
    """Put letters where services put them."""
    async with KafkaPublisher(kafka) as publisher:
        pending: list[asyncio.Task[None]] = []
        for letter in letters:
            pending.append(asyncio.create_task(publisher.publish(letter)))
            if len(pending) >= 500:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)


@asynccontextmanager
async def arrived(kafka: str, topic: str) -> AsyncIterator[list[Received]]:
    """What a read-committed reader of a topic finds by now."""
    async with aclosing(up_to_now(kafka, topic)) as records:
        yield [record async for record in records]
