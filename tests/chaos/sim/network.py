"""Between a process and what it asks: requests and answers that take time, get lost, or come too late."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Any, Final, TypeVar

from headrace.messaging.errors import Retryable
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.process import PROCESS, Process

T = TypeVar("T")

# Requests that hang are given up after this long, where the caller has no limit of its own.
TIMEOUT_S: Final = 5.0
# Two requests of one connection never arrive at the same instant, whose order would be anybody's.
_APART_S: Final = 0.000_001


class Fate(Enum):
    """What becomes of a request."""

    ANSWERED = auto()
    # It never arrives, and the caller gives up.
    LOST = auto()
    # It arrives, and the caller never learns of it.
    UNHEARD = auto()
    # It arrives after the caller has given up.
    LATE = auto()


@dataclass(slots=True)
class Trouble:
    """How bad the network is now: the share of requests that meet another fate than an answer, and the delays."""

    share: float = 0.0
    delay_s: float = 0.002


@dataclass(eq=False, slots=True)
class Channel:
    """A connection that keeps its order: what is sent later never arrives earlier."""

    last_arrival: float = 0.0
    cut: bool = False


class Network:
    """Carries every request of every process."""

    def __init__(self, loop: VirtualLoop, choice: Random) -> None:
        self._loop = loop
        self._choice = choice
        self.trouble = Trouble()
        # Requests without an answer in time.
        self.unanswered = 0

    def ask(
        self, what: str, act: Callable[[], T], *, timeout_s: float = TIMEOUT_S, channel: Channel | None = None
    ) -> "asyncio.Future[T]":
        """What `act` returns on the other side. `Retryable` after the limit: it may have happened or not."""
        future: asyncio.Future[Any] = self._loop.create_future()
        channel = channel or Channel()
        fate = self._fate()
        sender = PROCESS.get()
        if fate is not Fate.ANSWERED:
            self.unanswered += 1
            self._loop.at(timeout_s, _fail, future, Retryable(f"{what} did not answer"))
        if fate is not Fate.LOST:
            delay_s = self._delay() + (timeout_s if fate is Fate.LATE else 0.0)
            channel.last_arrival = max(channel.last_arrival + _APART_S, self._loop.time() + delay_s)
            self._loop.at(channel.last_arrival - self._loop.time(), self._arrive, act, future, channel, sender, fate)
        return future

    def hold_up(self, seconds: float) -> float:
        """A delay of the order of `seconds`, never zero."""
        return seconds * (0.05 + self._choice.random())

    def _arrive(
        self,
        act: Callable[[], Any],
        future: "asyncio.Future[Any]",
        channel: Channel,
        sender: Process | None,
        fate: Fate,
    ) -> None:
        if sender is not None and not sender.alive:
            # What a dead process had sent may have got as far as the wire, or not; nothing behind the cut has.
            channel.cut = channel.cut or self._choice.random() < 0.5
            if channel.cut:
                return
        try:
            result = act()
        except Exception as exc:  # noqa: BLE001 - the other side's answer
            if fate is Fate.ANSWERED:
                self._loop.at(self._delay(), _fail, future, exc)
            return
        if fate is Fate.ANSWERED:
            self._loop.at(self._delay(), _answer, future, result)

    def _fate(self) -> Fate:
        if not self.trouble.share or self._choice.random() >= self.trouble.share:
            return Fate.ANSWERED
        return self._choice.choice((Fate.LOST, Fate.UNHEARD, Fate.UNHEARD, Fate.LATE))

    def _delay(self) -> float:
        return self.trouble.delay_s * self._choice.random()


def _answer(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
