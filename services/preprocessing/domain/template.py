"""What a prompt template decides, beside its words."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from services.preprocessing.domain.request import Label, Message, Sampling

# Which answers may be kept for whoever asks the same: none, the deterministic ones, all that the template itself drew.
Cache = Literal["never", "greedy", "always"]


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


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template with its slots filled; `examples` are earlier messages that show what a good answer is."""

    instructions: str
    question: str
    examples: tuple[Message, ...] = ()


def drawn(asked: Sampling, usual: Sampling, max_new_tokens: int) -> Sampling:
    """What the client asked for, then what the template usually takes."""
    return replace(
        asked,
        temperature=asked.temperature if asked.temperature is not None else usual.temperature,
        top_p=asked.top_p if asked.top_p is not None else usual.top_p,
        seed=asked.seed if asked.seed is not None else usual.seed,
        stop=asked.stop or usual.stop,
        max_tokens=max_new_tokens,
    )


def cacheable(cache: Cache, asked: Sampling, drawing: Sampling) -> bool:
    """Whether the answer may be kept: a client that asks for randomness itself gets a fresh draw each time."""
    greedy = drawing.temperature == 0
    match cache:
        case "never":
            return False
        case "greedy":
            return greedy
        case "always":
            return greedy or not asked.temperature or asked.seed is not None
        case never:
            assert_never(never)
