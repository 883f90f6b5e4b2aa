"""Whether the passages that an answer cites bear out what it states.

A statement is a sentence with a marker. It is borne out by as much as its words stand in what it cites; a number or a
name that stands nowhere in it is what a model makes up most, and weighs as much as half of the words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.safety.domain.masking import MASK
from services.safety.domain.segments import cut

_MARKER: Final = re.compile(r"\[(\d{1,3})\]")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
# 1,250.00 and 1250 are the same; a marker is no number.
_NUMBER: Final = re.compile(r"(?<![\w\[.,])\d[\d,]*(?:\.\d+)?(?![\w\]])")
_NAME: Final = re.compile(r"(?<=[^\s.!?:] )[A-Z][^\W\d_]{2,}")
_STOP: Final = frozenset(
    "a about after all also an and any are as at be because been before but by can could did do does each for from had "
    "has have he her his how if in into is it its may more most must no not of on one only or other our out over own "
    "per same she should so some such than that the their them then there these they this those through to too under "
    "until up upon very was we were what when where which while who will with within without would you your yes".split()
)
_ENDINGS: Final = re.compile(r"(?:ies|ing|ed|es|s|ly|ment|ion|ions)$")
_LEAST_STEM: Final = 4
_MADE_UP: Final = 0.5
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Statement:
    """Characters [start, end) of the answer, and how much of it what it cites bears out."""

    start: int
    end: int
    support: float


def statements(answer: str, passages: Mapping[str, str], question: str = "") -> Iterator[Statement]:
    """Every sentence with a marker. What the question said already needs no source."""
    at = 0
    for segment in cut(answer, _LONGEST, last=True).segments:
        cited = [passages[marker] for number in _MARKER.findall(segment) if (marker := f"[{number}]") in passages]
        if cited:
            yield Statement(at, at + len(segment), support(segment, "\n".join(cited), question))
        at += len(segment)


def support(claim: str, source: str, question: str = "") -> float:
    """From 0 (nothing of it stands in the source) to 1."""
    told = MASK.sub(" ", _MARKER.sub(" ", claim))
    known = _stems(source) | _stems(question)
    words = [stem for stem in _stems(told) if stem]
    covered = sum(word in known for word in words) / len(words) if words else 1.0
    numbers = _numbers(source) | _numbers(question)
    names = {name.casefold() for name in _NAME.findall(told)} - _STOP
    made_up = bool(_numbers(told) - numbers) or any(_stem(name) not in known for name in names)
    return covered * (_MADE_UP if made_up else 1.0)


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in map(str.casefold, _WORD.findall(text)) if word not in _STOP}


def _stem(word: str) -> str:
    stem = _ENDINGS.sub("", word)
    return stem if len(stem) >= _LEAST_STEM else word


def _numbers(text: str) -> set[float]:
    return {float(number.replace(",", "")) for number in _NUMBER.findall(text) if number.strip(",")}
