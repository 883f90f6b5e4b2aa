"""Asks questions by websocket and takes the time of each answer as its reader would."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from headrace.bench.figures import percentile
from headrace.messaging.errors import Fatal

# Short answers: the time to the first token is the stack's, the rest is the model's.
MAX_TOKENS: Final = 32
_PATH: Final = "v1/chat/ws"
_TOPICS: Final = (
    "a river",
    "a lighthouse",
    "bread",
    "a bicycle",
    "the moon",
    "a library",
    "rain",
    "a compass",
    "salt",
    "a bridge",
)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: `outcome` is the status of `done` in lower case, or the code of `error`."""

    outcome: str
    done_ms: float
    first_token_ms: float | None = None
    completion_tokens: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """All answers of one run and how long it took."""

    concurrency: int
    seconds: float
    answers: tuple[Answered, ...]

    def as_json(self) -> dict[str, Any]:
        """The figures of the run; times in milliseconds."""
        first = [answer.first_token_ms for answer in self.answers if answer.first_token_ms is not None]
        done = [answer.done_ms for answer in self.answers if answer.outcome == "answered"]
        outcomes = [answer.outcome for answer in self.answers]
        return {
            "concurrency": self.concurrency,
            "questions": len(self.answers),
            "outcomes": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
            "first_token_ms": {"p50": percentile(first, 50), "p95": percentile(first, 95)},
            "done_ms": {"p50": percentile(done, 50), "p95": percentile(done, 95)},
            "tokens_per_second": sum(answer.completion_tokens for answer in self.answers) / self.seconds,
            "cached": sum(answer.cached for answer in self.answers),
        }


def questions(count: int) -> list[str]:
    """Different questions of one length; a number of this run makes sure that no answer comes from the cache."""
    run = uuid.uuid4().hex[:8]
    return [f"In one sentence, what is {_TOPICS[n % len(_TOPICS)]}? (question {run}-{n})" for n in range(count)]


async def load(url: str, texts: Sequence[str], concurrency: int, *, timeout_s: float = 120.0) -> Load:
    """Ask all of them, so many at a time, each client on a socket of its own."""
    waiting = iter(texts)
    answers: list[Answered] = []

    async def client() -> None:
        try:
            async with connect(socket_url(url), max_size=None) as socket:
                answers.extend([await ask(socket, text, timeout_s=timeout_s) for text in waiting])
        except (OSError, WebSocketException) as exc:
            raise Fatal(f"{socket_url(url)} cannot be asked ({type(exc).__name__}): see `headrace status`") from exc

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(min(concurrency, len(texts)))))
    return Load(concurrency, time.monotonic() - began, tuple(answers))


async def ask(socket: ClientConnection, text: str, *, timeout_s: float) -> Answered:
    """Ask one question in a conversation of its own and read its answer to the end."""
    turn_id = str(uuid.uuid4())
    frame = {
        "type": "ask",
        "id": turn_id,
        "conversation": turn_id,
        "text": text,
        "sampling": {"max_tokens": MAX_TOKENS},
    }
    first_token_ms: float | None = None
    began = time.monotonic()

    def passed_ms() -> float:
        return (time.monotonic() - began) * 1000

    try:
        async with asyncio.timeout(timeout_s):
            await socket.send(orjson.dumps(frame).decode())
            async for raw in socket:
                said: dict[str, Any] = orjson.loads(raw)
                if said.get("id") != turn_id:
                    continue
                match said["type"]:
                    case "delta" if first_token_ms is None and said["text"]:
                        first_token_ms = passed_ms()
                    case "done":
                        usage = said.get("usage") or {}
                        return Answered(
                            str(said["status"]).lower(),
                            passed_ms(),
                            first_token_ms,
                            int(usage.get("completion_tokens", 0)),
                            bool(said.get("cached")),
                        )
                    case "error":
                        return Answered(str(said.get("code", "error")), passed_ms(), first_token_ms)
                    case _:
                        continue
    except TimeoutError:
        return Answered("timeout", passed_ms(), first_token_ms)
    return Answered("socket_closed", passed_ms(), first_token_ms)


def socket_url(url: str) -> str:
    """The websocket of the gateway whose page is at this address."""
    scheme, _, rest = url.partition("://")
    secure = "wss" if scheme == "https" else "ws"
    return f"{secure}://{rest.rstrip('/')}/{_PATH}"
