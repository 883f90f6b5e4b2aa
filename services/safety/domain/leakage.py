"""Quotations of our own instructions: so many words in a row that the model was told and nobody else."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from services.safety.domain.findings import Finding

_WORD: Final = re.compile(r"[^\W_]+")


def quotations(text: str, instructions: Sequence[str], words: int) -> Iterator[Finding]:
    """Every longest row of at least `words` words that stands in one of the instructions."""
    known = _rows(tuple(instructions), words)
    said = list(_WORD.finditer(text))
    start: int | None = None
    end = 0
    for at in range(len(said) - words + 1):
        if _row(said[at : at + words]) not in known:
            continue
        if start is not None and at >= end:
            yield _found(said, start, end)
            start = None
        start = at if start is None else start
        end = at + words
    if start is not None:
        yield _found(said, start, end)


def _found(said: Sequence[re.Match[str]], start: int, end: int) -> Finding:
    return Finding(said[start].start(), said[end - 1].end(), "INSTRUCTIONS")


@lru_cache(maxsize=16)
def _rows(instructions: tuple[str, ...], words: int) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in instructions:
        said = list(_WORD.finditer(text))
        found.update(_row(said[at : at + words]) for at in range(len(said) - words + 1))
    return frozenset(found)


def _row(said: Sequence[re.Match[str]]) -> tuple[str, ...]:
    return tuple(match.group().casefold() for match in said)
