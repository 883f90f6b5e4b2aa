"""Spans: where a text may be cut, largest natural boundary first."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final, NamedTuple

Fits = Callable[[str], bool]

# Each piece keeps what ends it, so that pieces laid side by side are the text again.
_BOUNDARIES: Final = (
    re.compile(r"\n[ \t\r]*\n\s*"),
    re.compile(r"\n"),
    re.compile(r"[.!?…]['\")\]]*\s+|[\u3002\uff01\uff1f]"),
    re.compile(r"[,;:]\s+"),
    re.compile(r"\s+"),
)


class Span(NamedTuple):
    """Characters [start, end) of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters themselves."""
        return text[self.start : self.end]


def trimmed(text: str, span: Span) -> Span | None:
    """The span without white space at its ends; None where nothing else is in it."""
    content = span.of(text)
    if not (bare := content.strip()):
        return None
    start = span.start + len(content) - len(content.lstrip())
    return Span(start, start + len(bare))


def split(text: str, span: Span, fits: Fits) -> list[Span]:
    """Cut the span into pieces that fit, at the largest boundary that helps; a single character always fits."""
    return _split(text, span, fits, _BOUNDARIES)


def pack(text: str, pieces: Iterable[Span], fits: Fits) -> list[Span]:
    """Join neighbours as long as the whole fits; what lies between two joined pieces comes along."""
    packed: list[Span] = []
    for piece in pieces:
        if packed and fits(Span(packed[-1].start, piece.end).of(text).strip()):
            packed[-1] = Span(packed[-1].start, piece.end)
        else:
            packed.append(piece)
    return packed


def _split(text: str, span: Span, fits: Fits, boundaries: tuple[re.Pattern[str], ...]) -> list[Span]:
    if span.end - span.start <= 1 or fits(span.of(text).strip()):
        return [span]
    if not boundaries:
        middle = (span.start + span.end) // 2
        halves = (Span(span.start, middle), Span(middle, span.end))
        return [piece for half in halves for piece in _split(text, half, fits, ())]
    cuts = [match.end() for match in boundaries[0].finditer(text, span.start, span.end)]
    edges = [span.start, *(cut for cut in cuts if cut < span.end), span.end]
    pieces = [Span(start, end) for start, end in pairwise(edges)]
    smaller = [part for piece in pieces for part in _split(text, piece, fits, boundaries[1:])]
    return pack(text, smaller, fits)
