"""A request as preprocessing sees it, and what can be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headrace.prompts.template import Label, Message, Sampling


@dataclass(frozen=True, slots=True)
class Form:
    """What the answer must look like; an empty type is free text."""

    type: str = ""
    json_schema: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question; `deadline_ms` is epoch milliseconds, `None` without one."""

    turn_id: str = ""
    conversation_id: str = ""
    tenant: str = ""
    user: str = ""
    pipeline: str = ""
    model: str = ""
    template: str = ""
    text: str = ""
    messages: tuple[Message, ...] = ()
    # Texts to be made vectors.
    input: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    form: Form = field(default_factory=Form)
    deadline_ms: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> Mapping[str, str]:
        """The fields that name something, and so must be short and printable."""
        return {
            name: getattr(self, name) for name in ("conversation_id", "tenant", "user", "pipeline", "model", "template")
        }


@dataclass(frozen=True, slots=True)
class Review:
    """One text to classify."""

    review_id: str = ""
    batch_id: str = ""
    tenant: str = ""
    pipeline: str = ""
    model: str = ""
    text: str = ""
    labels: tuple[Label, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> Mapping[str, str]:
        """The fields that name something, and so must be short and printable."""
        return {name: getattr(self, name) for name in ("review_id", "batch_id", "tenant", "pipeline", "model")}


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request cannot be served as it is: `field` is the culprit, the message names the limit and the value."""

    code: str
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody waits for the answer any more."""

    message: str


Refusal = Rejected | Expired
