"""A service, described: which messages it consumes by which handlers. The runtime runs it, on Kafka or in memory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from headrace.messaging.contract import Folded, Outgoing, StageContext, TurnHandler
from headrace.runtime.settings import ServiceSettings
from headrace.v1.turns_pb2 import Turn

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TurnStage:
    """Consumes turns waiting for `name` on both lanes; the handler's result becomes the turn's `section`."""

    name: str
    section: str
    handler: TurnHandler


@dataclass(frozen=True, slots=True)
class IntakeStage:
    """Consumes a public topic and opens a turn for each message; from there on like a `TurnStage`.

    `open` is pure and total: what is wrong with the request is for the handler to answer, by `End`.
    """

    name: str
    section: str
    topic: str
    message: type[Message]
    open: Callable[[Any, StageContext], Turn]
    handler: TurnHandler
    lane: str = "interactive"
    # The answer to bytes that are no message, in the shape of the interface, beside the dead letter.
    undecodable: Callable[[str, StageContext], Sequence[Outgoing]] | None = None


@dataclass(frozen=True, slots=True)
class EventStage:
    """Consumes one type of event; the handler gets `None` for a tombstone and returns what is to be published."""

    name: str
    topic: str
    message: type[Message]
    handler: Callable[[Any, StageContext], Awaitable[Sequence[Outgoing]]]
    lane: str = "interactive"


@dataclass(frozen=True, slots=True)
class StreamStage:
    """Folds the messages of one stream (a turn's deltas), in order, into what goes out.

    The offsets of a stream are held until it has ended, so that after a crash the state is rebuilt by reading the
    stream again from its start: `step` must be a deterministic function of the messages. `stream` names the stream
    that a message belongs to. `step` gets `None` as state for a stream it does not know.
    """

    name: str
    topic: str
    message: type[Message]
    stream: Callable[[Any], str]
    step: Callable[[Any, Any, StageContext], Awaitable[Folded[Any]]]
    lane: str = "interactive"


Stage = TurnStage | IntakeStage | EventStage | StreamStage


@dataclass(frozen=True, slots=True)
class Service:
    """What `build_app` returns: nothing is connected and nothing loaded before `lifespan` is entered."""

    name: str
    settings: ServiceSettings
    stages: tuple[Stage, ...]
    lifespan: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
    # Named readiness checks: each returns, or raises with a sentence that says what is missing.
    ready: Mapping[str, Check] = field(default_factory=dict)
