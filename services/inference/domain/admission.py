"""Which request the model takes on next: people first, batch work in the slack. Pure: time comes in as `now_ms`.

A slot is a sequence that is decoded together with the others. Sharing a step costs little once a prompt is read;
reading it costs whole steps. So interactive requests take any slot that no other interactive request has, and batch
requests may take all of them while nobody asks; but a batch prompt is only taken on while less is being read than fits
into one step, and none while a person waits for a first token: that token is late by a step, not by a queue.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Priority = Literal["interactive", "batch"]

# A long prompt that made way this often is read to its end: else a steady stream of questions would starve it.
_WAYS_MADE: Final = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that wants a slot. `tokens`: how many are to be read; `deadline_ms`: epoch, 0 is none."""

    number: str
    priority: Priority
    tokens: int
    deadline_ms: int = 0


@dataclass(frozen=True, slots=True)
class Granted:
    """The request has its slot."""

    number: str


@dataclass(frozen=True, slots=True)
class Late:
    """The request's deadline passed while it waited: it never reaches the model."""

    number: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The request makes way while its prompt is read, and waits again, first of its kind."""

    number: str


Decision = Granted | Late | Deferred


class Admission:
    """One model's slots and queues; each kind of request has a queue of its own, of `queue` places."""

    def __init__(self, *, slots: int, queue: int, step_tokens: int) -> None:
        self._slots = slots
        self._queue = queue
        self._step_tokens = step_tokens
        self._waiting: dict[Priority, OrderedDict[str, Ask]] = {"interactive": OrderedDict(), "batch": OrderedDict()}
        self._running: dict[str, Ask] = {}
        # Running, and their prompts not yet read.
        self._unread: dict[str, Ask] = {}
        self._made_way: dict[str, int] = {}

    @property
    def running(self) -> int:
        """Requests that hold a slot."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests that have none yet."""
        return sum(map(len, self._waiting.values()))

    def enqueue(self, ask: Ask) -> bool:
        """Queue; False where the queue is full."""
        queue = self._waiting[ask.priority]
        if len(queue) >= self._queue:
            return False
        queue[ask.number] = ask
        return True

    def decide(self, now_ms: int) -> Iterator[Decision]:
        """What changes now; to be asked after every call that changes something."""
        for queue in self._waiting.values():
            for ask in [ask for ask in queue.values() if 0 < ask.deadline_ms <= now_ms]:
                del queue[ask.number]
                yield Late(ask.number)
        for priority in ("interactive", "batch"):
            queue = self._waiting[priority]
            while queue and self._free(ask := next(iter(queue.values()))):
                del queue[ask.number]
                self._running[ask.number] = self._unread[ask.number] = ask
                yield Granted(ask.number)
        yield from self._make_way()

    def read(self, number: str) -> bool:
        """The request's prompt has been read: from here on it only decodes. False where that is no news."""
        return self._unread.pop(number, None) is not None

    def leave(self, number: str) -> None:
        """The request is over, wherever it was; an unknown one is no error."""
        for queue in self._waiting.values():
            queue.pop(number, None)
        self._running.pop(number, None)
        self._unread.pop(number, None)
        self._made_way.pop(number, None)

    def _free(self, ask: Ask) -> bool:
        interactive = self._count("interactive", self._running)
        if ask.priority == "interactive":
            return interactive < self._slots
        if self._waiting["interactive"] or self._count("interactive", self._unread) or self.running >= self._slots:
            return False
        reading = sum(other.tokens for other in self._unread.values())
        # Beside people who are being answered one at a time, since each batch prompt makes their next token late.
        return not reading or (not interactive and reading < self._step_tokens)

    def _make_way(self) -> Iterator[Decision]:
        """A batch prompt of many steps stands before a person's: it starts over, from what the engine remembers."""
        if not self._count("interactive", self._unread):
            return
        for ask in list(self._unread.values()):
            ways = self._made_way.get(ask.number, 0)
            if ask.priority == "batch" and ask.tokens > self._step_tokens and ways < _WAYS_MADE:
                del self._running[ask.number], self._unread[ask.number]
                self._waiting["batch"][ask.number] = ask
                self._waiting["batch"].move_to_end(ask.number, last=False)
                self._made_way[ask.number] = ways + 1
                yield Deferred(ask.number)

    @staticmethod
    def _count(priority: Priority, among: dict[str, Ask]) -> int:
        return sum(ask.priority == priority for ask in among.values())
