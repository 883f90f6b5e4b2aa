"""kill -9 of each service in turn, with fifty prompts in flight: each is answered, once, as one coherent text."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import aclosing, suppress
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from headrace.messaging import topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import end_offsets, follow, partitions_of
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from tests.e2e.stack import Stack, reachable, text_of
from tests.fakes.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

PROMPTS = 50
VICTIMS = ("preprocessing", "grounding", "safety", "inference", "postprocessing", "feedback")


@pytest.mark.parametrize("victim", VICTIMS)
async def test_all_prompts_are_answered_once_though_a_service_is_killed(stack: Stack, victim: str) -> None:
    places = [place for topic in (topics.RESPONSES, topics.RESPONSE_DELTAS)
              for place in await partitions_of(stack.bootstrap, topic)]  # fmt: skip
    start = await end_offsets(stack.bootstrap, places)
    turns = [str(uuid4()) for _ in range(PROMPTS)]
    async with KafkaPublisher(stack.bootstrap, "test") as publisher:
        for number, turn in enumerate(turns):
            prompt = PromptSubmitted(turn_id=turn, text=f"Question {number} for {victim}?", model="mock")
            await publisher.publish(Outgoing(topics.PROMPTS, turn, prompt))
            if number == PROMPTS // 2:
                killed = stack.part(victim)["pid"]
                os.kill(killed, signal.SIGKILL)
    finals, deltas = await asyncio.wait_for(_collect(stack.bootstrap, dict(start), set(turns)), 180)
    for turn in turns:
        # On the topic a final may stand twice, after a kill between publish and commit: then it is the same final.
        final = finals[turn][-1]
        assert {(each.status, each.text, each.attempt) for each in finals[turn]} == {
            (final.status, final.text, final.attempt)
        }
        assert final.status == ResponseCompleted.ANSWERED, final.error
        assert final.text.startswith("The headrace brings")
        pieces = {each.seq: each.text for each in deltas[turn] if each.attempt == final.attempt}
        assert "".join(pieces[seq] for seq in sorted(pieces)) == final.text
    await until(f"{victim} is back", lambda: stack.part(victim)["pid"] not in (killed, None), 60)
    restarts = Counter(part["name"] for part in stack.state["parts"] if part.get("restarts"))
    assert victim in restarts


async def test_all_prompts_asked_by_websocket_are_answered_once_though_the_gateway_is_killed(stack: Stack) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    async with stack.socket() as socket:
        for number in range(PROMPTS):
            held[await socket.ask(f"Question {number}?", model="slow", sampling={"max_tokens": 30})] = []
        # What was not accepted is the client's to ask again.
        while _with("accepted", held) < PROMPTS or _with("delta", held) < PROMPTS // 2:
            frame = await asyncio.wait_for(socket.next(), 60)
            held[frame["id"]].append(frame)
        killed = stack.part("gateway")["pid"]
        os.kill(killed, signal.SIGKILL)
        with suppress(ConnectionClosed):
            while True:
                frame = await asyncio.wait_for(socket.next(), 60)
                held[frame["id"]].append(frame)
    await until("the gateway is back", lambda: stack.part("gateway")["pid"] not in (killed, None), 60)
    await until("the gateway answers", lambda: reachable(stack.port), 60)
    async with stack.socket() as socket:
        for turn, frames in held.items():
            last = max((frame["seq"] for frame in frames if frame["type"] == "delta"), default=-1)
            if not frames or frames[-1]["type"] != "done":
                await socket.send({"type": "resume", "id": turn, "after_seq": last})
        while not all(frames and frames[-1]["type"] in {"done", "error"} for frames in held.values()):
            frame = await asyncio.wait_for(socket.next(), 120)
            held[frame["id"]].append(frame)
    for frames in held.values():
        assert frames[-1]["type"] == "done", frames[-1]
        assert frames[-1]["status"] == "ANSWERED"
        assert text_of(frames) == frames[-1]["text"]


def _with(kind: str, held: dict[str, list[dict[str, Any]]]) -> int:
    return sum(any(frame["type"] == kind for frame in frames) for frames in held.values())


async def _collect(
    bootstrap: str, start: dict[TopicPartition, int | None], turns: set[str]
) -> tuple[dict[str, list[ResponseCompleted]], dict[str, list[ResponseDelta]]]:
    finals: dict[str, list[ResponseCompleted]] = {}
    deltas: dict[str, list[ResponseDelta]] = {turn: [] for turn in turns}
    async with aclosing(follow(bootstrap, start)) as records:
        async for record in records:
            header = record.headers.get(CONTENT_TYPE, "")
            if record.topic == topics.RESPONSES:
                final = decode(record.value or b"", ResponseCompleted, header)
                if final.turn_id in turns:
                    finals.setdefault(final.turn_id, []).append(final)
            else:
                delta = decode(record.value or b"", ResponseDelta, header)
                if delta.turn_id in turns:
                    deltas[delta.turn_id].append(delta)
            if len(finals) == len(turns) and all(_whole(finals[turn][-1], deltas[turn]) for turn in turns):
                break
    return finals, deltas


def _whole(final: ResponseCompleted, deltas: list[ResponseDelta]) -> bool:
    return len({each.seq for each in deltas if each.attempt == final.attempt}) >= final.delta_count
