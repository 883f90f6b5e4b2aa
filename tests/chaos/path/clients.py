"""Chat clients that behave as the page does: ask, read, and after a cut connect again and resume."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.chaos.path.load import TURNS_A_CONVERSATION

_IDS: Final = UUID("0d6b0c53-6f2b-5f0e-8c8e-1f2f1a9a7b10")
# The deadline that a turn has where nobody sets another.
ANSWER_S: Final = 120.0
_AGAIN_S: Final = 0.1
_SERVICE_RESTART: Final = 1012


@dataclass(slots=True)
class Told:
    """What one client was told of one turn."""

    turn_id: str
    conversation: str
    accepted: bool = False
    attempt: int | None = None
    after_seq: int = -1
    pieces: list[str] = field(default_factory=list)
    ended: bool = False


@dataclass(slots=True)
class Experience:
    """What all clients saw: turns that were accepted, by conversation, those answered, cuts, and whatever was wrong."""

    answered: dict[str, str] = field(default_factory=dict)
    conversations: dict[str, list[str]] = field(default_factory=dict)
    cuts: int = 0
    wrong: list[str] = field(default_factory=list)


class ChatClient:
    """One person: a question after the other, by whichever gateway can be reached."""

    def __init__(self, number: int, seed: int, gateways: Sequence[str], experience: Experience) -> None:
        self._number = number
        self._seed = seed
        self._gateways = gateways
        self._next = number
        self._experience = experience

    async def talk(self, over: asyncio.Event, pause_s: float) -> None:
        """Ask until it is over; the last question is still answered."""
        connection: ClientConnection | None = None
        asked = 0
        while not over.is_set():
            conversation = f"chat-{self._seed}-{self._number}-{asked // TURNS_A_CONVERSATION}"
            told = Told(str(uuid5(_IDS, f"{self._seed} {self._number} {asked}")), conversation)
            try:
                async with asyncio.timeout(ANSWER_S):
                    connection = await self._answered(told, asked, connection)
            except TimeoutError:
                self._wrong(told, f"no answer within {ANSWER_S:.0f} s")
                connection = None
            asked += 1
            await asyncio.sleep(pause_s)
        if connection is not None:
            await connection.close()

    async def _answered(self, told: Told, asked: int, connection: ClientConnection | None) -> ClientConnection:
        """Ask and read to the end, over as many connections as it takes; the last of them."""
        fresh = True
        while True:
            try:
                connection = connection or await self._connect()
                await connection.send(json.dumps(self._frame(told, asked)))
                fresh = False
                while not told.ended:
                    self._take(told, json.loads(await connection.recv()))
            except ConnectionClosed as cut:
                connection = None
                # A connection that was cut while nobody used it is no news.
                self._experience.cuts += not fresh
                if cut.rcvd is None or cut.rcvd.code != _SERVICE_RESTART:
                    self._wrong(told, f"the connection was cut without a word ({cut})")
            else:
                return connection

    async def _connect(self) -> ClientConnection:
        while True:
            gateway = self._gateways[self._next % len(self._gateways)]
            try:
                return await connect(f"ws://{gateway}/v1/chat/ws", max_size=None)
            except (OSError, InvalidHandshake):
                # As behind a load balancer: the next one.
                self._next += 1
                await asyncio.sleep(_AGAIN_S)

    def _frame(self, told: Told, asked: int) -> dict[str, Any]:
        if not told.accepted:
            text = f"Question {asked} of person {self._number}: how full is the basin?"
            return {"type": "ask", "id": told.turn_id, "text": text, "conversation": told.conversation}
        resume = {"type": "resume", "id": told.turn_id, "after_seq": told.after_seq}
        return resume if told.attempt is None else {**resume, "attempt": told.attempt}

    def _take(self, told: Told, frame: dict[str, Any]) -> None:
        if frame.get("id") != told.turn_id:
            self._wrong(told, f"a frame of another turn came: {frame.get('type')} {frame.get('id')}")
            return
        match frame["type"]:
            case "accepted":
                # Asked again after a cut it is accepted again.
                if not told.accepted:
                    self._experience.conversations.setdefault(told.conversation, []).append(told.turn_id)
                told.accepted = True
            case "restarted":
                told.attempt, told.after_seq, told.pieces = frame["attempt"], -1, []
            case "delta":
                # One frame may stand for several deltas and then has the last one's number: that none is missing is
                # judged by the whole, below.
                if frame["seq"] <= told.after_seq:
                    self._wrong(told, f"delta {frame['seq']} came again after {told.after_seq}")
                told.attempt, told.after_seq = frame["attempt"], frame["seq"]
                told.pieces.append(frame["text"])
            case "done":
                told.ended = True
                self._end(told, frame)
            case "error":
                told.ended = True
                self._wrong(told, f"error {frame['code']}: {frame['message']}")
            case _:
                # Sources and notices; neither is asked for here.
                pass

    def _end(self, told: Told, frame: dict[str, Any]) -> None:
        if told.turn_id in self._experience.answered:
            self._wrong(told, "it ended twice")
        self._experience.answered[told.turn_id] = frame["text"]
        if frame["status"] != "ANSWERED":
            self._wrong(told, f"it ended as {frame['status']}")
        if "".join(told.pieces) != frame["text"]:
            self._wrong(told, "what was streamed is not what it ended with")

    def _wrong(self, told: Told, what: str) -> None:
        self._experience.wrong.append(f"client {self._number}, turn {told.turn_id}: {what}")
