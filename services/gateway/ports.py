"""What the gateway needs of the world beside a `Publisher`."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from services.gateway.domain.answers import Answer, Piece
from services.gateway.domain.places import Offsets, Place


@dataclass(frozen=True, slots=True)
class Reply:
    """One record of a reply partition; `position` is where to go on after it. `content` None: nothing to be read."""

    turn_id: str
    content: Piece | Answer | None
    position: Offsets


class ReplyTail(Protocol):
    """Reads reply partitions, outside any consumer group."""

    async def reachable(self) -> bool:
        """Whether the broker answers."""
        ...

    async def partitions(self) -> int:
        """How many reply partitions there are."""
        ...

    def follow(
        self, partition: int, start: Offsets | None, started: Callable[[Offsets], None]
    ) -> AsyncGenerator[Reply]:
        """Read for ever from `start` (None: the end). `started` gets the place once it is fixed. Raises `Retryable`."""
        ...

    async def find(self, turn_id: str) -> Place | None:
        """Search the recent replies of every partition for a turn: slow, for when the index cannot be asked."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """A turn in the index; not `accepted`: its gateway is still waiting for Kafka."""

    place: Place
    accepted: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How many messages wait or are at work up to the model, and how many it has ever put behind it."""

    lag: int
    passed: int


class BacklogReader(Protocol):
    """A kept connection."""

    async def read(self) -> Reading:
        """The state now. Raises `Retryable`."""
        ...


class BacklogSource(Protocol):
    """Knows how much stands in front of the model, whoever sent it."""

    def open(self) -> AbstractAsyncContextManager[BacklogReader]:
        """Connect. Raises `Retryable`."""
        ...


class TurnIndex(Protocol):
    """Which turns exist and where their replies lie; shared by all gateways. Every method may raise `Retryable`."""

    async def claim(self, turn_id: str, place: Place) -> Known | None:
        """Enter a turn that is about to be asked, or return what is there already."""
        ...

    async def confirm(self, turn_id: str, place: Place) -> None:
        """Note that Kafka has the prompt."""
        ...

    async def release(self, turn_id: str) -> None:
        """Take a claim back: the prompt was not accepted."""
        ...

    async def find(self, turn_id: str) -> Known | None:
        """Where a turn's replies lie."""
        ...

    async def watch(self, turn_id: str, gateway: str) -> None:
        """Note that a client of this gateway follows the turn."""
        ...

    async def unwatch(self, turn_id: str, gateway: str) -> None:
        """Note that none does any more."""
        ...

    async def watched(self, turn_id: str) -> bool:
        """Whether a client of any gateway follows the turn."""
        ...


class TraceReader(Protocol):
    """Reads the way that a turn took."""

    async def waterfall(self, turn_id: str) -> Mapping[str, Any]:
        """Its spans, arranged as `headrace.telemetry.waterfall` does; no spans where none are known."""
        ...


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that may be named; `task` is "chat" or "embed", the window counts tokens."""

    name: str
    task: str
    context_window: int


class ModelList(Protocol):
    """Knows which models may be asked for."""

    def listed(self) -> Sequence[ListedModel]:
        """All of them, the most useful first. May read files."""
        ...
