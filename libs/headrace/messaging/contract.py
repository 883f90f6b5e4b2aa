"""What a handler is given and what it gives back: the whole surface between a service and the log."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from google.protobuf.message import Message

from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import Turn

Encoding = Literal["application/x-protobuf", "application/json"]
State = TypeVar("State")

PROTOBUF: Encoding = "application/x-protobuf"
JSON: Encoding = "application/json"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; `message=None` is a tombstone. Trace, tenant and deadline headers are added on the way."""

    topic: str
    key: str
    message: Message | None
    partition: int | None = None
    encoding: Encoding = PROTOBUF
    tenant: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    # A record to pass on as it came, instead of a message: its bytes, its key where the text above cannot hold it, and
    # its headers, of which those named above take the place of all that bear their name.
    raw: bytes | None = None
    raw_key: bytes | None = None
    raw_headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """The stage is done: its section goes into the turn, the turn to its slip's next stage, `also` to where it says."""

    section: Message
    also: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """The turn ends here: it skips to the last stage of its slip, which answers with this status and error."""

    status: ResponseCompleted.Status
    error: Error | None = None
    section: Message | None = None
    also: tuple[Outgoing, ...] = ()


StageResult = Next | End


class Cancellation(Protocol):
    """Whether somebody asked to stop a turn, or one attempt at it."""

    @property
    def requested(self) -> bool:
        """True from the moment that a `CancelRequested` for this turn was read."""
        ...

    def wait(self) -> Awaitable[None]:
        """Return when cancellation of the turn is requested; never, if it is not."""
        ...

    def stopped(self, attempt: int) -> bool:
        """Whether a `CancelRequested` named this attempt or a later one: no more of its text will be shown."""
        ...

    def wait_stopped(self, attempt: int) -> Awaitable[None]:
        """Return when this attempt is stopped; never, if it is not."""
        ...


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a handler may know of its message beside the message itself.

    `now_ms` and `deadline_ms` are epoch milliseconds (`deadline_ms` 0: none); `attempt` counts deliveries from 1.
    """

    message_id: str
    key: str
    tenant: str
    now_ms: int
    deadline_ms: int
    attempt: int
    lane: str
    cancellation: Cancellation
    headers: Mapping[str, str]
    # For what must go out while the handler runs (deltas); everything else is returned.
    publisher: "Publisher"
    # "application/x-protobuf" or "application/json": how the message arrived.
    encoding: Encoding = PROTOBUF
    # Where the message stands in the log, however often it was redelivered: of two messages of one key the later one
    # has the higher position. Whoever keeps the latest state of a key drops what comes with a lower one.
    position: int = 0


class Publisher(Protocol):
    """Where messages go out."""

    async def publish(self, outgoing: Outgoing) -> None:
        """Return once the broker has acknowledged; raise `Retryable` if it did not in time."""
        ...


class TurnHandler(Protocol):
    """One stage's work on a turn. It returns its section; it never edits the turn."""

    async def __call__(self, turn: Turn, context: StageContext) -> StageResult: ...


@dataclass(frozen=True, slots=True)
class Folded(Generic[State]):
    """What one message of a stream led to; `state=None` with `ended` forgets the stream."""

    state: State | None
    out: tuple[Outgoing, ...] = ()
    ended: bool = False
