"""Cuts an answer into segments, each of which is judged and released as one.

INVARIANT: boundaries depend on the text alone, never on the pieces in which it arrived: the judgement over the whole
answer cuts exactly as the gate did while it streamed.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

# The full stop of these ends no sentence.
_ABBREVIATIONS: Final = frozenset(
    "al approx cf co corp dept dr e.g ed etc fig figs i.e inc jr ltd mr mrs ms pp prof rev sr st vol vs viz".split()
)
_END: Final = re.compile(r"[.!?\u2026][\"'\u2019\u201d)\]*_`]*\s|[\u3002\uff01\uff1f]|\n")
_WORD_BEFORE: Final = re.compile(
    r"(?:[A-Za-z]+(?:\.[A-Za-z]+)*|(?:\A|(?<=\n)|(?<=\n[ ])|(?<=\n[ ]{2})|(?<=\n[ ]{3}))\d{1,3})\Z"
)
_LONGEST_WORD: Final = 12
# What is never cut in two: a mask, a citation.
_WHOLE: Final = re.compile(r"(?:<[A-Z_0-9]{0,40}|\[[\d, ]{0,20})\Z")
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Cut:
    """Whole segments, and what is not one yet."""

    segments: tuple[str, ...]
    rest: str


def cut(text: str, hold_chars: int, *, last: bool) -> Cut:
    """Segments of the text, each at most `hold_chars` long; joined with the rest they are the text.

    A segment ends at the end of a sentence or line, else at the last white space that `hold_chars` allow. It is only
    known to be one when a character follows it, or with `last`, which makes a segment of the rest too.
    """
    segments: list[str] = []
    at = 0
    while (end := _boundary(text, at, hold_chars)) is not None:
        segments.append(text[at:end])
        at = end
    if last and at < len(text):
        return Cut((*segments, text[at:]), "")
    return Cut(tuple(segments), text[at:])


def _boundary(text: str, start: int, hold_chars: int) -> int | None:
    """Where the segment that begins at `start` ends, if that can be known yet."""
    limit = start + hold_chars
    for match in _END.finditer(text, start, min(limit, len(text))):
        if match.end() < len(text) and not _is_abbreviation(text, start, match.start()):
            return match.end()
    return _forced(text, start, limit) if len(text) > limit else None


def _is_abbreviation(text: str, start: int, stop: int) -> bool:
    """`e.g. this`, `J. Doe`, and the number of a list's item end no sentence."""
    if text[stop] != ".":
        return False
    word = _WORD_BEFORE.search(text[max(start, stop - _LONGEST_WORD) : stop])
    if not word:
        return False
    return len(word.group()) == 1 or word.group().lower() in _ABBREVIATIONS or word.group().isdigit()


def _forced(text: str, start: int, limit: int) -> int:
    """The last white space that is not inside of something whole, else the limit."""
    window = text[start:limit]
    gaps = [match.end() for match in re.finditer(r"\s", window)]
    fine = next((end for end in reversed(gaps) if not _WHOLE.search(window[:end])), None)
    if fine is not None:
        return start + fine
    whole = _WHOLE.search(window)
    return start + whole.start() if whole and whole.start() > 0 else _before_marks(text, start, limit)


def _before_marks(text: str, start: int, end: int) -> int:
    """Accents and joiners stay with their letter."""
    while end - 1 > start and (unicodedata.combining(text[end]) or _JOINERS & {text[end], text[end - 1]}):
        end -= 1
    return end
