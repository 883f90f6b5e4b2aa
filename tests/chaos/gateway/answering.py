"""All that stands behind the gateways, played in a process: `python -m tests.chaos.gateway.answering BROKER`.

A prompt's text says how its answer is to come. Pieces are said more than once, attempts begin anew and finals overtake
their last pieces, all of it far more often than services do. Each piece names its turn, its attempt and its place, and
when it was said: what a client shows can be checked without knowing it beforehand.
"""

import asyncio
import random
import sys
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final, Protocol

import orjson
import uvloop

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import follow, partitions_of
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta

READY: Final = "answering"
# One piece in so many is said twice; one turn in so many begins anew, one ends before its last piece is out.
_REPEAT: Final = 10
_RESTART: Final = 8
_OVERTAKE: Final = 6


@dataclass(frozen=True, slots=True)
class Script:
    """How an answer is to come: so many pieces of so many more bytes, so far apart; `plain`: without any trouble."""

    pieces: int
    every_s: float
    more_bytes: int = 0
    plain: bool = False

    def as_text(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, text: str) -> "Script":
        return cls(**orjson.loads(text))


@dataclass(frozen=True, slots=True)
class Turn:
    """One prompt, and where its replies go."""

    prompt: PromptSubmitted
    partition: int
    publisher: "Speaks"

    async def delta(self, attempt: int, seq: int, text: str) -> None:
        await self._say(
            topics.RESPONSE_DELTAS,
            ResponseDelta(turn_id=self.prompt.turn_id, attempt=attempt, seq=seq, text=text, verdict_id="played"),
        )

    async def final(self, attempt: int, said: list[str]) -> None:
        await self._say(
            topics.RESPONSES,
            ResponseCompleted(
                turn_id=self.prompt.turn_id,
                attempt=attempt,
                status=ResponseCompleted.ANSWERED,
                text="".join(said),
                delta_count=len(said),
                finish_reason="stop",
            ),
        )

    async def _say(self, topic: str, message: ResponseDelta | ResponseCompleted) -> None:
        await self.publisher.publish(Outgoing(topic, self.prompt.turn_id, message, partition=self.partition))


class Speaks(Protocol):
    async def publish(self, outgoing: Outgoing) -> None: ...


def piece(turn_id: str, attempt: int, seq: int, more_bytes: int) -> str:
    """The text of one delta."""
    return f"[{turn_id} {attempt} {seq} {monotonic():.6f}{' ' if more_bytes else ''}{'.' * more_bytes}]"


async def answer(turn: Turn, script: Script, chance: random.Random) -> None:
    """Say it all."""
    attempts = 1 if script.plain or chance.randrange(_RESTART) else 2
    overtakes = not script.plain and not chance.randrange(_OVERTAKE)
    for attempt in range(1, attempts + 1):
        said: list[str] = []
        # An attempt that is given up says some of its pieces only.
        last = script.pieces if attempt == attempts else chance.randrange(1, script.pieces)
        for seq in range(last):
            await asyncio.sleep(script.every_s * chance.uniform(0.5, 1.5))
            said.append(piece(turn.prompt.turn_id, attempt, seq, script.more_bytes))
            if overtakes and seq == script.pieces - 1:
                await turn.final(attempt, said)
            await turn.delta(attempt, seq, said[seq])
            if not script.plain and not chance.randrange(_REPEAT):
                again = chance.randrange(seq + 1)
                await turn.delta(attempt, again, said[again])
    if not overtakes:
        await turn.final(attempts, said)


async def serve(bootstrap: str) -> None:
    """Answer every prompt from now on."""
    chance = random.Random(bootstrap)  # noqa: S311 - decides what to disturb, guards nothing
    answering: set[asyncio.Task[None]] = set()
    start: dict[TopicPartition, int | None] = dict.fromkeys(await partitions_of(bootstrap, topics.PROMPTS), 0)
    async with KafkaPublisher(bootstrap, "played-services") as publisher:
        sys.stdout.write(READY + "\n")
        sys.stdout.flush()
        async for record in follow(bootstrap, start):
            prompt = decode(record.value or b"", PromptSubmitted, record.headers.get(headers.CONTENT_TYPE, ""))
            turn = Turn(prompt, int(record.headers[headers.REPLY_PARTITION]), publisher)
            task = asyncio.create_task(answer(turn, Script.read(prompt.text), chance))
            answering.add(task)
            task.add_done_callback(answering.discard)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
