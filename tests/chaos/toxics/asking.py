"""People who ask one question each, with a deadline, and write down what they were told and when."""

import asyncio
import json
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid5

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

_IDS: Final = UUID("5b0f2b1e-5a43-5d0f-9d1b-3a6a0d6d1c55")
# Nobody waits longer, whatever was promised: then it counts as no answer at all.
PATIENCE_S: Final = 45.0


@dataclass(frozen=True, slots=True)
class Question:
    """One turn; the same number is the same turn."""

    seed: int
    number: int
    deadline_s: float

    @property
    def turn_id(self) -> str:
        return str(uuid5(_IDS, f"{self.seed} {self.number}"))

    @property
    def frame(self) -> dict[str, Any]:
        """What goes over the websocket. Each its own conversation: nobody waits behind another."""
        return {
            "type": "ask",
            "id": self.turn_id,
            "conversation": f"toxic-{self.seed}-{self.number}",
            "text": f"Question {self.number}: what does the gate do for the turbine?",
            "timeout_ms": int(self.deadline_s * 1000),
        }


@dataclass(slots=True)
class Told:
    """What one person was told. `status`: of the final, or the code of an error; empty where nothing ended it."""

    question: Question
    asked_at: float
    ended_at: float | None = None
    status: str = ""
    # Whether the turn itself is over, or only this try.
    final: bool = False
    text: str = ""
    sourced: bool = False
    notices: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _attempt: int = 0
    _after_seq: int = -1

    @property
    def seconds(self) -> float:
        """From the question to its end, or to when nobody waited any more."""
        return (self.ended_at or self.asked_at + PATIENCE_S) - self.asked_at

    @property
    def answered(self) -> bool:
        return self.status == "ANSWERED"

    def take(self, frame: dict[str, Any], now: float) -> None:
        """One frame."""
        match frame["type"]:
            case "restarted":
                self._attempt, self._after_seq = frame["attempt"], -1
                self._pieces.clear()
            case "delta":
                if frame["seq"] <= self._after_seq or frame["attempt"] < self._attempt:
                    self.wrong.append(f"delta {frame['seq']} of attempt {frame['attempt']} came again")
                self._attempt, self._after_seq = frame["attempt"], frame["seq"]
                self._pieces.append(frame["text"])
            case "citations":
                self.sourced = True
            case "notice":
                self.notices.append(frame["code"])
            case "done":
                self.status, self.final, self.text, self.ended_at = frame["status"], True, frame["text"], now
                if self.answered and "".join(self._pieces) != self.text:
                    self.wrong.append("what was streamed is not what it ended with")
            case "error":
                self.status, self.final, self.ended_at = frame["code"], bool(frame.get("final")), now
            case _:
                pass


async def ask(gateway: str, question: Question) -> Told:
    """Ask over a connection of its own and read to the end."""
    told = Told(question, monotonic())
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            connect(f"ws://{gateway}/v1/chat/ws", max_size=None, ping_interval=None, close_timeout=1) as socket,
        ):
            told.asked_at = monotonic()
            await socket.send(json.dumps(question.frame))
            while told.ended_at is None:
                told.take(json.loads(await socket.recv()), monotonic())
    except TimeoutError:
        pass
    except (OSError, WebSocketException) as exc:
        told.wrong.append(f"the connection to the gateway broke: {type(exc).__name__}")
        told.ended_at = monotonic()
    return told
