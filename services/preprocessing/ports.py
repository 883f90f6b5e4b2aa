"""What preprocessing needs from outside: a language detector, templates, and models as their tokenizers know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from headrace.prompts.template import Label, Message, Rendered, Slots, Template
from services.preprocessing.domain.budget import Window


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639-1 code and the probability of it; empty where the text shows none."""

    code: str
    confidence: float


class LanguageDetector(Protocol):
    """Tells languages apart."""

    def detect(self, text: str) -> Language:
        """The most likely language of the text."""
        ...


class Speller(Protocol):
    """Knows what a misspelt English word should be. Both may take seconds the first time."""

    def load(self) -> None:
        """Be ready for the first text."""
        ...

    def suggest(self, word: str) -> str | None:
        """What a lower-case word should be; None where it is right, or nobody can say."""
        ...


class Templates(Protocol):
    """Prompt templates by name and version."""

    def get(self, reference: str, *, field: str = "pipeline") -> Template:
        """The template `name/version`, or the latest version of `name`; raises `Invalid` of the field that names it."""
        ...

    def all(self) -> Sequence[Template]:
        """Every version of every template."""
        ...

    def render(self, template: Template, slots: Slots) -> Rendered:
        """The template's words with the slots filled."""
        ...


Task = Literal["chat", "label", "embed"]


@dataclass(frozen=True, slots=True)
class Model:
    """What preprocessing must know of a model."""

    name: str
    revision: str
    window: Window
    # What a classifier tells apart; none of a model that writes.
    labels: tuple[Label, ...] = ()
    # In whose words a model that writes labels texts; empty: in those of the pipeline's template.
    label_template: str = ""


class Models(Protocol):
    """Models by name, and how each counts."""

    async def get(self, name: str, *, task: Task = "chat") -> Model:
        """The model of this name for the task; a chat model can label as well as a classifier.

        Raises `Invalid` (code `unknown_model`) where there is none.
        """
        ...

    async def count(self, model: Model, messages: Sequence[Message]) -> int:
        """Tokens of the chat as this model sees it, with all that its chat template adds."""
        ...
