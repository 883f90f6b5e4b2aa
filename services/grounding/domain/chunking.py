"""Chunks: a document cut along its structure, each piece an exact span of the original."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from services.grounding.domain.spans import Span, pack, split, trimmed

# Part of every document's digest: a document is indexed anew when the way of cutting changes.
CHUNKING_VERSION: Final = "1"
_LABEL_CHARACTERS: Final = 160
# Prose has four to five.
_CHARACTERS_PER_TOKEN: Final = 8


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or code block, under its headings, outermost first."""

    span: Span
    heading_path: tuple[str, ...]
    # Counts the sections of the document: two sections may have the same headings.
    section: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """What a parser found in a document: its own title, if it has one, and what it says about itself."""

    title: str
    blocks: tuple[Block, ...]
    # Of its front matter: "kind", "aliases".
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """`content[start:end] == text`, always."""

    start: int
    end: int
    text: str
    heading_path: tuple[str, ...]


def chunk(content: str, blocks: Sequence[Block], *, max_tokens: int, count: Callable[[str], int]) -> list[Chunk]:
    """Cut a document: blocks of one section share a chunk while they fit, and no chunk crosses a heading.

    A document without any block (nothing but headings, say) is cut as one plain text, so that nothing that was
    published is unfindable.
    """

    def fits(text: str) -> bool:
        # To this tokenizer a long run without spaces is one unknown token, to the chat model it is hundreds.
        return len(text) <= _CHARACTERS_PER_TOKEN * max_tokens and count(text) <= max_tokens

    chunks: list[Chunk] = []
    for _, grouped in groupby(blocks or (Block(Span(0, len(content)), ()),), key=lambda block: block.section):
        section = list(grouped)
        pieces = [piece for block in section for piece in split(content, block.span, fits)]
        spans = [trimmed(content, packed) for packed in pack(content, pieces, fits)]
        path = section[0].heading_path
        chunks += [Chunk(span.start, span.end, span.of(content), path) for span in spans if span]
    return chunks


def embedded_text(title: str, piece: Chunk) -> str:
    """What the vector is made of: where the chunk stands, then what it says.

    A paragraph alone often does not name its subject; its headings do. Of a long path the innermost part stays.
    """
    path = piece.heading_path if piece.heading_path[:1] == (title,) else (title, *piece.heading_path)
    label = " > ".join(part for part in path if part)[-_LABEL_CHARACTERS:]
    return f"{label}\n{piece.text}" if label else piece.text
