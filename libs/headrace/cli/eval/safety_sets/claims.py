"""Statements about the articles of a bank: as they stand there, with another number, and of another article."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from headrace.cli.eval.safety_sets.articles import passages

_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_NUMBER: Final = re.compile(r"\d[\d,.]*\d|\d")
_LEAST, _MOST = 40, 220

Case = tuple[str, str]


def sets(path: Path, count: int) -> Iterator[tuple[str, list[Case], bool]]:
    """The name of a set, its statements with their passages, and whether they should be found wanting."""
    chance = Random(17)  # noqa: S311 - the same statements each time
    sources = [passage for passage in passages(path) if len(_statements(passage)) > 1]
    chosen = chance.sample(sources, min(count, len(sources)))
    said = [(chance.choice(_statements(source)), source) for source in chosen]
    yield "as in the article", [(_cited(claim), source) for claim, source in said], False
    numbered = [(claim, source) for claim, source in said if _NUMBER.search(claim)]
    yield "with another number", [(_cited(_other(claim, chance)), source) for claim, source in numbered], True
    turned = [*chosen[1:], chosen[0]]
    yield "of another article", [(_cited(claim), other) for (claim, _), other in zip(said, turned, strict=True)], True


def shared_words(claim: str, source: str) -> float:
    """The baseline: the share of a statement's words that its source has."""
    words = {word.lower() for word in _WORD.findall(claim)}
    return len(words & {word.lower() for word in _WORD.findall(source)}) / len(words) if words else 1.0


def _statements(passage: str) -> list[str]:
    found = re.split(r"(?<=[.!?])\s+|\n", passage)
    return [text.strip("-* #") for text in found if _LEAST < len(text) < _MOST and "[" not in text]


def _cited(claim: str) -> str:
    return f"{claim.rstrip('.!? :')} [1]."


def _other(claim: str, chance: Random) -> str:
    """Every number a different one of the same length."""
    return _NUMBER.sub(lambda number: _changed(number.group(), chance), claim)


def _changed(number: str, chance: Random) -> str:
    return re.sub(r"\d", lambda digit: str((int(digit.group()) + chance.randint(1, 8)) % 10), number, count=1)
