"""What goes between an engine and its core's process: one JSON object a line."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from headrace.models.spec import ModelSpec

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Start:
    """The first line: which model, where its files are, run by which core."""

    spec: ModelSpec
    folder: str
    core: str
    eos_id: int | None
    # The folder of a LoRA adapter over the weights in `folder`; empty: none.
    adapter: str = ""
    op: Literal["start"] = "start"


@dataclass(frozen=True, slots=True)
class Add:
    """Generate: tokens in, sampling resolved."""

    request_id: str
    prompt: list[int]
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    # EBNF that the answer has to follow; empty: none.
    grammar: str = ""
    # Alternatives to tell with each token; None: no probabilities at all.
    logprobs: int | None = None
    op: Literal["add"] = "add"


@dataclass(frozen=True, slots=True)
class Score:
    """Log-probabilities of each continuation after the prompt."""

    request_id: str
    prompt: list[int]
    labels: list[list[int]]
    op: Literal["score"] = "score"


@dataclass(frozen=True, slots=True)
class Classify:
    """Log-probabilities of the model's own classes for a text."""

    request_id: str
    text: str
    op: Literal["classify"] = "classify"


@dataclass(frozen=True, slots=True)
class Embed:
    """A vector for each text."""

    request_id: str
    texts: list[str]
    op: Literal["embed"] = "embed"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Forget a request and free what it holds."""

    request_id: str
    op: Literal["cancel"] = "cancel"


Command = Start | Add | Score | Classify | Embed | Cancel


@dataclass(frozen=True, slots=True)
class Ready:
    """The weights are loaded."""

    load_seconds: float
    device: str
    # The classes that a classifier tells apart, in the order of what it says of them.
    labels: tuple[str, ...] = ()
    op: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class Tokens:
    """New tokens of a request; with `finish` they are its last."""

    request_id: str
    ids: list[int]
    finish: Finish | None = None
    # Of each token, where they were asked for, and of the alternatives at its place: (id, log-probability).
    logprobs: list[float] = field(default_factory=list)
    top: list[list[tuple[int, float]]] = field(default_factory=list)
    op: Literal["tokens"] = "tokens"


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probabilities, token by token, label by label; of a classifier one a label, and how many tokens it read."""

    request_id: str
    log_likelihoods: list[list[float]]
    tokens: int = 0
    op: Literal["scored"] = "scored"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of a request, one behind the other: little-endian float32 in base64."""

    request_id: str
    vectors: str
    op: Literal["embedded"] = "embedded"


@dataclass(frozen=True, slots=True)
class Failed:
    """A request failed; without an id, the core itself did."""

    request_id: str
    message: str
    op: Literal["failed"] = "failed"


Event = Ready | Tokens | Scored | Embedded | Failed

COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="op")])
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="op")])
