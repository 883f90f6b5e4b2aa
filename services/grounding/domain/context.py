"""What goes with a question: which passages it may cite, which exchanges it remembers, within the token budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Role = Literal["user", "assistant"]
# Sources join the instructions, and history the messages: what the joints cost, rounded up.
_JOINT_TOKENS: Final = 8


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that was found; `start` and `end` are characters of the document's content."""

    document_id: str
    title: str
    uri: str
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...]
    # Cosine of passage and question, of a long question's windows the best.
    score: float
    # By which passages are ordered: 1 is the best by meaning and by words.
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage under the marker by which the answer may cite it."""

    marker: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the history."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Past:
    """One exchange of this conversation."""

    turn_id: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """All that grounding gives to a turn. `context` is empty without sources."""

    context: str
    cited: tuple[Cited, ...]
    history: tuple[Said, ...]


class Tokens(Protocol):
    """Counts tokens as the chosen model does."""

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def count_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        """Tokens of messages, with what the chat template adds."""
        ...


def assemble(
    passages: Sequence[Passage],
    past: Sequence[Past],
    *,
    budget: int,
    tokens: Tokens,
    render: Callable[[str], str],
    uncovered: bool = False,
) -> Assembled:
    """Fill the budget: sources first, then history from the newest back, so that history is trimmed before sources.

    `render` puts the sources into the turn's template, and none where they do not cover the question. A passage that
    does not fit gives way to the next one, since a citation must show the whole of what it cites.
    """
    cited: tuple[Cited, ...] = ()
    context, left = "", budget
    if uncovered:
        warning = render("")
        cost = tokens.count(warning) + _JOINT_TOKENS if warning else 0
        if cost <= budget:
            context, left = warning, budget - cost
    for passage in passages:
        trial = (*cited, Cited(f"[{len(cited) + 1}]", passage))
        rendered = render(sources_text(trial))
        cost = tokens.count(rendered) + _JOINT_TOKENS
        if cost <= budget:
            cited, context, left = trial, rendered, budget - cost
    return Assembled(context, cited, _recent(past, left, tokens))


def sources_text(cited: Sequence[Cited]) -> str:
    """The sources as the model reads them: marker, where it stands, the passage."""
    return "\n\n".join(f"{item.marker} {_place(item.passage)}\n{item.passage.text}" for item in cited)


def _place(passage: Passage) -> str:
    path = passage.heading_path[1:] if passage.heading_path[:1] == (passage.title,) else passage.heading_path
    return " > ".join(part for part in (passage.title, *path) if part)


def _recent(past: Sequence[Past], budget: int, tokens: Tokens) -> tuple[Said, ...]:
    kept: tuple[Said, ...] = ()
    for exchange in reversed(past):
        trial = (Said("user", exchange.question), Said("assistant", exchange.answer), *kept)
        if tokens.count_messages([(said.role, said.content) for said in trial]) + _JOINT_TOKENS > budget:
            break
        kept = trial
    return kept
