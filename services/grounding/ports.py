"""What grounding needs from outside."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from headrace.documents.converted import Converted
from headrace.documents.formats import ConvertedType, TextType
from services.grounding.domain.chunking import Chunk, Outline
from services.grounding.domain.context import Tokens
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.domain.entities import Entity, Gazetteer
from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Candidate, Weights

Vector = Sequence[float]


class Embeddings(AbstractAsyncContextManager[object], Protocol):
    """Turns text into unit vectors; loads on entering. A question never waits behind a whole document."""

    @property
    def revision(self) -> str:
        """Names the model: vectors of two revisions cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector; known once it is entered."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text for this model."""
        ...

    async def question(self, windows: Sequence[str]) -> Sequence[Vector]:
        """The vectors of a question's windows."""
        ...

    async def passages(self, texts: Sequence[str]) -> Sequence[Vector]:
        """The vectors of passages, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document as the store keeps it: chunks and vectors in the same order."""

    title: str
    uri: str
    digest: str
    chunks: Sequence[Chunk]
    vectors: Sequence[Vector]
    words: Sequence[Sparse]
    # By the stronger encoder; empty where there is none.
    strong: Sequence[Vector] = ()
    entities: Sequence[Entity] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What is searched for: a vector for each window of the question, and its words."""

    windows: Sequence[Vector]
    words: Sparse
    # By the stronger encoder; empty where there is none.
    strong: Sequence[Vector] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the index knows of a document: the last record that was applied, and the digest it has from there.

    `position` is -1 before the first; `digest` is None where the document is gone, or not completely indexed.
    """

    position: int = -1
    digest: str | None = None


class Knowledge(AbstractAsyncContextManager[object], Protocol):
    """Documents that can be found by meaning. Raises `Retryable` where the store cannot be reached.

    Every change carries the position of its record in the log. INVARIANT: what comes late of an earlier record changes
    nothing, whichever process it comes from and however far it had got: a document shows what its last record says.
    """

    async def candidates(self, corpus: Corpus, probe: Probe, weights: Weights) -> list[Candidate]:
        """The passages of this corpus, and of no other, that may answer: by meaning or by words, in no order."""
        ...

    async def gazetteer(self, corpus: Corpus, version: str) -> Gazetteer:
        """The names that this corpus knows; may be some seconds older than `version`."""
        ...

    async def version(self, corpus: Corpus) -> str:
        """Changes with every change of the corpus."""
        ...

    async def standing(self, key: DocumentKey) -> Standing:
        """What was applied last."""
        ...

    async def confirm(self, key: DocumentKey, position: int) -> bool:
        """Note that this record says what is indexed already; False where something came in between."""
        ...

    async def replace(self, key: DocumentKey, document: Indexed, position: int) -> bool:
        """Index the document in place of what was there; doing it again is harmless. False where it is overtaken."""
        ...

    async def remove(self, key: DocumentKey, position: int) -> bool:
        """Forget the document; False where there was none, or the record is overtaken."""
        ...

    async def check(self) -> None:
        """Return if the store answers."""
        ...


class Tokenizers(Protocol):
    """The tokenizer of each chat model."""

    async def get(self, model: str) -> Tokens:
        """The tokenizer of this model; `Invalid` where there is no such model."""
        ...


class Fill(Protocol):
    """Puts sources into a template."""

    def __call__(self, template: str, sources: str) -> str:
        """The template with its slot filled; `Invalid` where it is no template."""
        ...


class Parser(Protocol):
    """Finds a document's structure."""

    def __call__(self, content_type: TextType, content: str) -> Outline:
        """Blocks with their headings, in order; pure, may take a second for a large document."""
        ...


class Converter(Protocol):
    """Brings a document that is no plain text to Markdown, where a hostile one does no harm."""

    async def __call__(self, content_type: ConvertedType, data: bytes) -> Converted:
        """Its title and its text; `Invalid` where it cannot be read."""
        ...
