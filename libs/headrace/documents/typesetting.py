"""What lines on pages were before they were set: headings, paragraphs, lists."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from headrace.documents.converted import escaped

_HEADING_SCALE: Final = 1.12
_HEADING_CHARACTERS: Final = 140
_LEVELS: Final = 4
# A gap of so many sizes between the feet of two lines parts two paragraphs.
_PARAGRAPH_GAP: Final = 1.7
# A line that ends a sentence this much short of the longest ends its paragraph.
_SHORT: Final = 0.75
_RUNNING_PAGES: Final = 4
_BULLET: Final = re.compile(r"[•▪◦‣·\u2013*-]\s+")
_NUMBERED: Final = re.compile(r"(?:\d{1,3}[.)]|\(?[a-z]\))\s+\S")
_SENTENCE_END: Final = re.compile(r"[.!?:…][\"'\u201d\u2019)]*$")
_DIGITS: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, the size of its letters in points, and its height on the page; 0 where it is not known."""

    text: str
    size: float
    height: float


def markdown(pages: Sequence[Sequence[Line]]) -> tuple[str, str]:
    """The text as Markdown, and its first heading."""
    lines = list(chain.from_iterable(_without_running_titles(pages)))
    body = _body_size(lines)
    levels = _levels(lines, body)
    longest = max((len(line.text) for line in lines), default=0)
    blocks: list[str] = []
    before: Line | None = None
    open_heading = 0
    first = ""
    for line in lines:
        level = levels.get(line.size, 0) if _may_be_heading(line) else 0
        if level:
            if level == open_heading:
                blocks[-1] += f" {line.text}"
            else:
                blocks.append(f"{'#' * level} {line.text}")
            first = first or line.text
        elif (bullet := _BULLET.match(line.text)) is not None:
            blocks.append(f"- {line.text[bullet.end() :]}")
        elif before is None or open_heading or _starts_block(before, line, longest):
            blocks.append(escaped(line.text))
        else:
            blocks[-1] = _joined(blocks[-1], line.text)
        open_heading, before = level, line
    return "\n\n".join(blocks), first


def _body_size(lines: Iterable[Line]) -> float:
    """The size that most letters have."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _levels(lines: Iterable[Line], body: float) -> dict[float, int]:
    """The sizes of headings, the largest first; small steps beyond the last level share it."""
    sizes = {line.size for line in lines if line.size >= _HEADING_SCALE * body > 0 and _may_be_heading(line)}
    return {size: min(level, _LEVELS) for level, size in enumerate(sorted(sizes, reverse=True), start=1)}


def _may_be_heading(line: Line) -> bool:
    return len(line.text) <= _HEADING_CHARACTERS and any(character.isalpha() for character in line.text)


def _starts_block(before: Line, line: Line, longest: int) -> bool:
    if _NUMBERED.match(line.text):
        return True
    if before.height and line.height and (drop := before.height - line.height) > 0 and line.size:
        if drop > _PARAGRAPH_GAP * max(line.size, before.size):
            return True
        if drop <= 1:
            return False
    return bool(_SENTENCE_END.search(before.text)) and len(before.text) < _SHORT * longest


def _joined(before: str, line: str) -> str:
    if before.endswith("-") and before[-2:-1].isalpha() and line[:1].islower():
        return before[:-1] + line
    return f"{before} {line}"


def _without_running_titles(pages: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """What stands at the head or foot of most pages, numbers aside, is said once too often."""
    if len(pages) < _RUNNING_PAGES:
        return list(pages)
    ends = Counter(_DIGITS.sub("0", line.text) for page in pages if page for line in {page[0], page[-1]})
    running = {text for text, times in ends.items() if times > len(pages) / 2}

    def kept(page: Sequence[Line]) -> Sequence[Line]:
        last = len(page) - 1
        return [
            line
            for place, line in enumerate(page)
            if place not in (0, last) or _DIGITS.sub("0", line.text) not in running
        ]

    return [kept(page) for page in pages]
