"""What is wrong is named, with its field and limit, by the interface that it came by; everything else goes on."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from headrace.messaging import topics
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.tail import end_offsets, follow, partitions_of
from headrace.v1.dead_letters_pb2 import DeadLetter
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

HUGE = "x" * 2_000_000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "word " * 20_000}, "text"),
        ({"text": "hello", "pipeline": "nonesuch"}, "pipeline"),
        ({"text": "hello", "model": "nonesuch"}, "model"),
        ({"text": "hello", "sampling": {"temperature": 9}}, "temperature"),
    ],
    ids=["empty", "over-long", "pipeline", "model", "temperature"],
)
async def test_a_bad_question_is_answered_by_its_websocket_and_the_next_one_well(
    stack: Stack, fields: dict[str, Any], field: str
) -> None:
    async with stack.socket() as socket:
        bad = await socket.ask(**fields)
        error = (await asyncio.wait_for(socket.until_end(bad), 60))[-1]
        assert error["type"] == "error"
        assert field in error["field"]
        assert error["message"]
        good = await socket.ask("Still there?", model="mock")
        assert (await asyncio.wait_for(socket.until_end(good), 60))[-1]["status"] == "ANSWERED"


@pytest.mark.parametrize(
    "frame",
    ["[1, 2]", "not json", b"\xff\xfe", json.dumps({"type": "ask", "id": "no-uuid", "text": "hi"}),
     json.dumps({"type": "nonesuch"}), json.dumps({"type": "ask", "id": str(uuid4()), "text": HUGE})],
    ids=["array", "no-json", "binary", "no-uuid", "unknown-type", "two-megabytes"],
)  # fmt: skip
async def test_a_bad_frame_is_answered_and_the_socket_stays_open(stack: Stack, frame: str | bytes) -> None:
    async with stack.socket() as socket:
        await socket.send(frame)
        error = await asyncio.wait_for(socket.next(), 30)
        assert (error["type"], bool(error["message"])) == ("error", True)
        good = await socket.ask("Still there?", model="mock")
        assert (await asyncio.wait_for(socket.until_end(good), 60))[-1]["status"] == "ANSWERED"


def prompt(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b'{"turnId": "', "value"),
        (b"[]", "value"),
        (b"\xff\xfe\x00", "value"),
        (b"\x0a\x24truncated", "value"),
        (prompt(text="hello", pipeline="nonesuch"), "pipeline"),
        (prompt(text="late", deadline="2020-01-01T00:00:00Z"), "deadline"),
        (prompt(text=HUGE), "text"),
    ],
    ids=["half", "array", "not-utf8", "truncated-protobuf", "pipeline", "deadline", "two-megabytes"],
)
async def test_a_bad_prompt_on_the_topic_gets_a_final_that_names_the_field(
    stack: Stack, value: bytes, field: str
) -> None:
    turn = str(uuid4())
    if b'"text"' in value:
        value = value[:-1] + f', "turnId": "{turn}"}}'.encode()
    content_type = b"application/x-protobuf" if value.startswith(b"\x0a") else b"application/json"
    start = await _ends(stack, topics.RESPONSES)
    _produce(stack, value, {"content-type": content_type, "message-id": turn.encode()})
    final = await _first(stack, start, lambda record: turn.encode() in (record.value or b""))
    text = (final.value or b"").decode("utf-8", "replace")
    assert field in text
    assert any(status in text for status in ("FAILED", "EXPIRED")) or not text.startswith("{")


async def test_bytes_that_are_no_prompt_become_a_dead_letter_with_the_raw_bytes(stack: Stack) -> None:
    value = b"\x0a\xff\xff" + uuid4().bytes
    start = await _ends(stack, topics.DEAD_LETTERS)
    _produce(stack, value, {"odd": b"\xff\xfe"})
    record = await _first(stack, start, lambda record: value in (record.value or b""))
    letter = DeadLetter.FromString(record.value or b"")
    assert (letter.stage, letter.value, letter.origin.topic) == ("prompts", value, topics.PROMPTS)


def _produce(stack: Stack, value: bytes, headers: dict[str, bytes]) -> None:
    producer = Producer({"bootstrap.servers": stack.bootstrap, "message.max.bytes": 4_000_000})
    producer.produce(topics.PROMPTS, key=uuid4().bytes, value=value, headers=list(headers.items()))
    assert producer.flush(30) == 0


async def _ends(stack: Stack, topic: str) -> dict[TopicPartition, int | None]:
    return dict(await end_offsets(stack.bootstrap, await partitions_of(stack.bootstrap, topic)))


async def _first(
    stack: Stack, start: dict[TopicPartition, int | None], wanted: Callable[[Received], bool], seconds: float = 60
) -> Received:
    began = time.monotonic()
    async with asyncio.timeout(seconds), aclosing(follow(stack.bootstrap, start)) as records:
        async for record in records:
            if wanted(record):
                return record
    raise AssertionError(f"nothing came in {time.monotonic() - began:.0f} s")
