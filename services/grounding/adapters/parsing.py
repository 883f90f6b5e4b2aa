"""Structure of Markdown and plain text, as spans of the original."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, zip_longest
from typing import Final, assert_never

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from headrace.documents.formats import TextType
from services.grounding.domain.chunking import Block, Outline
from services.grounding.domain.spans import Span

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
# What markdown-it takes for the end of a line. `str.splitlines` knows more of them, and every span would shift.
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_PARAGRAPH_END: Final = re.compile(r"(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)\s*")
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")


def parse(content_type: TextType, content: str) -> Outline:
    """Find the blocks of a document."""
    match content_type:
        case "text/markdown":
            return _markdown(content)
        case "text/plain":
            return _plain(content)
        case never:
            assert_never(never)


def _plain(content: str) -> Outline:
    edges = [0, *(match.end() for match in _PARAGRAPH_END.finditer(content)), len(content)]
    blocks = (Block(Span(start, end), ()) for start, end in pairwise(edges) if start < end)
    return Outline("", tuple(blocks))


def _markdown(content: str) -> Outline:
    front = _FRONT_MATTER.match(content)
    first = front.end() if front else 0
    tokens = _MARKDOWN.parse(content[first:])
    lines = [first, *(match.end() for match in _LINE_END.finditer(content, first))]

    def span(token: Token) -> Span:
        begin, end = token.map or (0, 0)
        return Span(lines[begin], lines[end] if end < len(lines) else len(content))

    blocks: list[Block] = []
    titles: list[str] = []
    path: list[tuple[int, str]] = []
    section = 0
    for token, heading in _top_level(tokens):
        if heading is None:
            blocks.append(Block(span(token), tuple(name for _, name in path), section))
            continue
        level, section = int(token.tag[1:]), section + 1
        path = [*(outer for outer in path if outer[0] < level), (level, heading)]
        if level == 1:
            titles.append(heading)
    about = _about(front.group()) if front else {}
    return Outline(about.get("title", titles[0] if titles else ""), tuple(blocks), about)


def _about(front: str) -> Mapping[str, str]:
    """What the front matter says, a list as one line; nothing of what is no mapping."""
    try:
        said = yaml.safe_load(front.strip().strip("-"))
    except (yaml.YAMLError, RecursionError):
        return {}
    items = said.items() if isinstance(said, dict) else ()
    return {
        str(name): "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in items
        if value is not None
    }


def _top_level(tokens: Sequence[Token]) -> Iterator[tuple[Token, str | None]]:
    """The outermost blocks; a heading with its words, everything else with None. Rules are no content."""
    for token, follower in zip_longest(tokens, tokens[1:]):
        if token.level or token.map is None or token.nesting < 0 or token.type == "hr":
            continue
        if token.type == "heading_open" and follower is not None:
            yield token, _words(follower)
        else:
            yield token, None


def _words(inline: Token) -> str:
    # A line break has no content; the marks around emphasis and links have none either, and join what they touch.
    words = (" " if child.type.endswith("break") else child.content for child in inline.children or ())
    return " ".join("".join(words).split())
