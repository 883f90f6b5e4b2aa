"""Every way in, on the whole stack with its real model."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer

from headrace.messaging import topics
from tests.e2e.stack import Stack, text_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


async def test_a_plain_websocket_gets_its_answer_as_a_stream(stack: Stack) -> None:
    async with stack.socket() as socket:
        turn = await socket.ask("What is the capital of France?", sampling={"temperature": 0})
        frames = await asyncio.wait_for(socket.until_end(turn), 120)
    done = frames[-1]
    assert frames[0]["type"] == "accepted"
    assert (done["type"], done["status"]) == ("done", "ANSWERED")
    assert text_of(frames) == done["text"]
    assert "Paris" in done["text"]
    assert len(done["trace_id"]) == 32
    assert done["usage"]["completion_tokens"] > 0


def test_a_json_prompt_by_a_client_we_did_not_write_gets_deltas_and_one_final(stack: Stack) -> None:
    turn = str(uuid4())
    consumer = Consumer({"bootstrap.servers": stack.bootstrap, "group.id": f"test-{turn}",
                         "auto.offset.reset": "earliest"})  # fmt: skip
    consumer.subscribe([topics.RESPONSE_DELTAS, topics.RESPONSES])
    producer = Producer({"bootstrap.servers": stack.bootstrap})
    prompt = {"turnId": turn, "tenant": "acme", "text": "Say hello.", "sampling": {"maxTokens": 30}}
    producer.produce(topics.PROMPTS, key=turn, value=json.dumps(prompt), headers={"content-type": "application/json"})
    assert producer.flush(30) == 0
    deltas, finals = _answers(consumer, turn, seconds=120)
    consumer.close()
    (final,) = finals
    assert final["status"] == "ANSWERED"
    assert "".join(delta["text"] for delta in deltas) == final["text"]
    assert [delta.get("seq", 0) for delta in deltas] == list(range(len(deltas)))
    assert all(delta["verdictId"] for delta in deltas)


def _answers(consumer: Consumer, turn: str, seconds: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Everything about a turn until its final and all the deltas that it counts are there."""
    deltas: list[dict[str, Any]] = []
    finals: list[dict[str, Any]] = []
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        record = consumer.poll(0.2)
        if record is not None and record.error() is None:
            value = record.value() or b""
            message = json.loads(value) if value.startswith(b"{") else {}
            if message.get("turnId") == turn:
                (deltas if record.topic() == topics.RESPONSE_DELTAS else finals).append(message)
        if finals and len(deltas) >= finals[0].get("deltaCount", 0):
            return deltas, finals
    raise AssertionError(f"after {seconds} s: {len(deltas)} deltas, {len(finals)} finals")


def test_classify_finishes_two_hundred_reviews_in_order(stack: Stack, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.jsonl"
    kinds = ("I love it, best purchase ever.", "Terrible, it broke after a day. Avoid.")
    rows = [json.dumps({"id": f"r{number}", "text": f"{kinds[number % 2]} ({number})"}) for number in range(200)]
    rows[7] = '{"id": "r7"'
    reviews.write_text("\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    finished = stack.run("classify", str(reviews), "-o", str(out), "--json", timeout_s=600)
    results = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(results) >= 199, finished.stderr
    labelled = [result for result in results if result.get("label")]
    assert len(labelled) == 199
    assert [result["id"] for result in labelled] == [f"r{number}" for number in range(200) if number != 7]
    assert {result["label"] for result in labelled} <= {"positive", "negative"}
    assert "8" in finished.stdout + finished.stderr, "the bad row is named by its line"
    assert finished.returncode != 0
