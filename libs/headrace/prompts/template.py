"""What a prompt template is, and what it makes of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# Which answers may be kept for whoever asks the same: none, the deterministic ones, all that the template itself drew.
Cache = Literal["never", "greedy", "always"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat; the role is whatever the client wrote."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens; `None` means that nobody has chosen yet."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    # Alternatives to tell with each token, and the probabilities of all; None: no probabilities.
    logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A class that a text may fall into."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template; its slots are filled by `Templates.render`."""

    name: str
    version: str
    takes: Literal["prompt", "review"]
    sampling: Sampling
    cache: Cache
    # Goes to grounding as it is, which fills its slot `sources`.
    sources_template: str = ""
    labels: tuple[Label, ...] = ()
    # Slots of its own, with what each holds where the client says nothing.
    slots: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    # Whether typing errors in the question are corrected before anybody else reads it.
    corrects_typos: bool = False
    # What is put right in the answer, which is then shown all at once: "grammar" or "formal"; empty: nothing.
    polish: str = ""


@dataclass(frozen=True, slots=True)
class Slots:
    """What a template may use. Values are data: nothing in them is ever read as a template."""

    text: str
    language: str
    labels: tuple[Label, ...] = ()
    client_instructions: str = ""
    # What the answer must look like: "json_object", "json_schema" or "choice", else empty.
    form: str = ""
    json_schema: str = ""
    choices: tuple[str, ...] = ()
    # For a template's own slots, by name; a name that it has no slot for says nothing to it.
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template with its slots filled; `examples` are earlier messages that show what a good answer is."""

    instructions: str
    question: str
    examples: tuple[Message, ...] = ()
