"""What the log says about a turn, in the gateway's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Status(Enum):
    """How a turn ended."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Piece:
    """One delta: new text of one attempt, `seq` from 0, with the verdict that lets it be shown."""

    attempt: int
    seq: int
    text: str
    verdict_id: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from; `start` and `end` count characters of the document."""

    marker: str
    document_id: str
    title: str
    uri: str
    start: int
    end: int
    score: float
    text: str
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What a policy did to this turn, or what it had to do without, for a person to read."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong and what to do about it."""

    code: str
    message: str
    field: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the model."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """One stage: how long the turn waited for it and how long it worked."""

    queue_ms: float
    work_ms: float


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of the model, the natural logarithm of its probability, and the likeliest at its place."""

    token: str
    bytes: bytes
    logprob: float
    top: tuple["TokenLogprob", ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The final word on a turn. `text` is what a client must end up with; `delta_count` how many deltas make it."""

    attempt: int
    status: Status
    text: str
    delta_count: int
    conversation_id: str = ""
    citations: tuple[Citation, ...] = ()
    notices: tuple[Notice, ...] = ()
    failure: Failure | None = None
    usage: Usage = Usage()
    finish_reason: str = ""
    timings: Mapping[str, Timing] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    trace_id: str = ""
    model: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    # Little-endian float32, one for each text that was to be made a vector.
    embeddings: tuple[bytes, ...] = ()
