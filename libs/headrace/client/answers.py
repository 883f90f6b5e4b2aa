"""What a client is told of its question: events while it is answered, the answer at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

# FAILED is raised, as `Retryable` or `Invalid`.
Status = Literal["ANSWERED", "REFUSED", "CANCELLED", "EXPIRED"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is drawn; what is left out is the template's to say."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: Sequence[str] = ()

    def as_frame(self) -> dict[str, Any]:
        """What was set."""
        names = ("temperature", "top_p", "max_tokens", "seed")
        asked = {name: value for name in names if (value := getattr(self, name)) is not None}
        return {**asked, "stop": list(self.stop)} if self.stop else asked


@dataclass(frozen=True, slots=True)
class Text:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The model had to start over: what was shown so far is void."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from; `marker` stands in the text, `passage` is what was cited."""

    marker: str
    document_id: str
    title: str
    uri: str
    passage: str
    score: float


@dataclass(frozen=True, slots=True)
class Notice:
    """What whoever reads the answer should know: an address that was masked, sources that were missing."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a turn. `text` is the whole of it; REFUSED has what may be said instead."""

    turn_id: str
    conversation: str
    status: Status
    text: str
    model: str
    finish_reason: str
    cached: bool
    prompt_tokens: int
    completion_tokens: int
    trace_id: str
    versions: Mapping[str, str] = field(default_factory=dict)
    citations: Sequence[Citation] = ()
    notices: Sequence[Notice] = ()

    @classmethod
    def read(cls, frame: Mapping[str, Any], citations: Sequence[Citation], notices: Sequence[Notice]) -> Self:
        """From the frame `done`."""
        usage = frame.get("usage") or {}
        return cls(
            turn_id=frame["id"],
            conversation=frame.get("conversation") or frame["id"],
            status=frame["status"],
            text=frame["text"],
            model=frame.get("model") or "",
            finish_reason=frame.get("finish_reason") or "",
            cached=bool(frame.get("cached")),
            prompt_tokens=int(usage.get("prompt_tokens", 0)),
            completion_tokens=int(usage.get("completion_tokens", 0)),
            trace_id=frame.get("trace_id") or "",
            versions=dict(frame.get("versions") or {}),
            citations=tuple(citations),
            notices=tuple(notices),
        )


# The last one of a stream is the answer.
Event = Text | Restarted | Citation | Notice | Answer
