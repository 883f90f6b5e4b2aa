"""People with a websocket each: they ask and read, are cut off at any token and resume wherever a gateway answers."""

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.chaos.gateway.answering import Script
from tests.chaos.gateway.shown import Shown, said_at

# Nobody waits longer than this for the next word, nor for a gateway that lets them in.
PATIENCE_S: Final = 30.0
_AGAIN_S: Final = 0.1
_AWAY_S: Final = 2.0
# A client with little room for what it does not read.
_SMALL_BUFFER: Final = 16 * 1024


@dataclass(slots=True)
class Witness:
    """What all people saw."""

    turns: int = 0
    cuts: int = 0
    elsewhere: int = 0
    refused: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    # When a piece came, and how long after it was said: of connections that were not just resumed.
    lags: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Person:
    """One client. `cuts` per turn on average, as long as `may_cut` is set; reads only while `reads` is set."""

    def __init__(
        self, gateways: Sequence[str], witness: Witness, *, seed: int, cuts: float = 0.0, small: bool = False
    ) -> None:
        self._gateways = gateways
        self._witness = witness
        self._random = random.Random(seed)  # noqa: S311 - where the cuts fall, to be replayed
        self._cuts = cuts
        self._small = small
        self._connection: ClientConnection | None = None
        self._home = self._random.choice(gateways)
        self.may_cut = True
        self.reads = asyncio.Event()
        self.reads.set()

    async def connect(self) -> None:
        """Open a websocket at some gateway."""
        self._connection = await self._somewhere()

    async def idle(self, over: asyncio.Event) -> None:
        """Keep a websocket open and say nothing, and come back whenever it is closed."""
        while not over.is_set():
            connection = self._connection or await self._somewhere()
            closing, ending = asyncio.create_task(connection.wait_closed()), asyncio.create_task(over.wait())
            await asyncio.wait({closing, ending}, return_when=asyncio.FIRST_COMPLETED)
            for task in (closing, ending):
                task.cancel()
            if not over.is_set():
                self._note_end(connection)
                self._connection = None
        await self.leave()

    async def talk(self, over: asyncio.Event, script: Script, *, judged: bool = True) -> None:
        """Ask until it is over; the last answer is still read to its end."""
        while not over.is_set():
            shown = Shown(str(uuid4()), script.pieces)
            try:
                await self._answered(shown, script)
            except TimeoutError:
                shown.wrong.append(f"turn {shown.turn_id}: nothing came for {PATIENCE_S:.0f} s")
                self._connection = None
            self._witness.turns += 1
            if judged:
                self._witness.wrong.extend(shown.wrong)
        await self.leave()

    async def leave(self) -> None:
        """Close the websocket."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _answered(self, shown: Shown, script: Script) -> None:
        cut_after = self._cut_places(script)
        while not shown.ended:
            connection = self._connection = self._connection or await self._somewhere()
            try:
                await connection.send(json.dumps(self._frame(shown, script)))
                resumed_at = monotonic()
                while not shown.ended:
                    await self.reads.wait()
                    async with asyncio.timeout(PATIENCE_S):
                        frame = json.loads(await connection.recv())
                    if frame["type"] == "error" and frame["retry_after"] and not shown.accepted:
                        # Two hundred who ask at the same moment are more than may wait; the protocol says when to ask.
                        self._witness.refused += 1
                        await asyncio.sleep(frame["retry_after"])
                        await connection.send(json.dumps(self._frame(shown, script)))
                        continue
                    if shown.take(frame):
                        self._time(frame["text"], resumed_at)
                    if cut_after and shown.after_seq >= cut_after[0] and not shown.ended:
                        del cut_after[0]
                        if self.may_cut:
                            await self._cut(connection)
                            break
            except ConnectionClosed:
                self._note_end(connection)
                self._connection = None

    def _frame(self, shown: Shown, script: Script) -> dict[str, Any]:
        if shown.accepted:
            return shown.resume()
        # It may or may not have been taken: asked again by its id it is never run twice, and told from its start.
        shown.attempt, shown.after_seq, shown.text = None, -1, ""
        return {"type": "ask", "id": shown.turn_id, "text": script.as_text()}

    def _cut_places(self, script: Script) -> list[int]:
        number = int(self._cuts + self._random.random())
        return sorted(self._random.sample(range(-1, script.pieces), min(number, script.pieces)))

    async def _cut(self, connection: ClientConnection) -> None:
        connection.transport.abort()
        self._connection = None
        self._witness.cuts += 1
        before, self._home = self._home, self._random.choice(self._gateways)
        self._witness.elsewhere += self._home != before
        # Half of them come back at once, the others when more has been said: both ends of the log are to be met.
        if self._random.randrange(2):
            await asyncio.sleep(self._random.uniform(0, _AWAY_S))

    def _time(self, text: str, resumed_at: float) -> None:
        said, now = said_at(text), monotonic()
        if said > resumed_at:
            self._witness.lags.append((now, now - said))

    def _note_end(self, connection: ClientConnection) -> None:
        received = connection.protocol.close_rcvd
        self._witness.closed[str(received.code) if received else "no word"] += 1

    async def _somewhere(self) -> ClientConnection:
        """The gateway of choice, or any other that lets us in."""
        until = monotonic() + PATIENCE_S
        while monotonic() < until:
            with suppress(OSError, InvalidHandshake):
                host, _, port = self._home.rpartition(":")
                own = await _small_socket(host, int(port)) if self._small else None
                return await connect(
                    f"ws://{self._home}/v1/chat/ws", sock=own, max_size=None, max_queue=2 if self._small else 16,
                    compression=None, ping_interval=None,
                )  # fmt: skip
            self._home = self._random.choice(self._gateways)
            await asyncio.sleep(_AGAIN_S)
        raise TimeoutError


async def _small_socket(host: str, port: int) -> socket.socket:
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    own.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    try:
        await asyncio.get_running_loop().sock_connect(own, (host, port))
    except OSError:
        own.close()
        raise
    return own
