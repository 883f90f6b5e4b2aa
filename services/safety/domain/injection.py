"""Finding an attempt to take over the model, also as one sentence of a longer text."""

import math
import re
from itertools import pairwise
from typing import Final

from services.safety.domain.decoding import is_disguised, told
from services.safety.domain.findings import Finding, InjectionScore

_SENTENCE: Final = re.compile(r"[^.!?\n]+(?:[.!?]+|\n|\Z)\s*")
_SHORT: Final = 24
# Short sentences are judged together, up to this length.
_TOGETHER: Final = 120
# The classifier learned from texts of this length at most; a longer one is judged by its sentences alone.
_WHOLE: Final = 600
# Every window is one more chance of a false alarm: the odds that one must show rise with their number.
_ODDS_PER_WINDOW: Final = 0.5
# Who hides what a text says has a reason: it needs less to be taken for an attack.
_ODDS_FOR_HIDING: Final = 1.8
# A text without sentences is cut here.
_LONGEST: Final = 400


def injections(text: str, score: InjectionScore, threshold: float) -> list[Finding]:
    """The worst window, if it reaches the threshold."""
    worst = max(_scored(text, score), key=lambda finding: finding.score, default=None)
    return [worst] if worst and worst.score >= threshold else []


def narrowest(text: str, score: InjectionScore, threshold: float) -> Finding | None:
    """The shortest window that reaches the threshold: what has to go, and as little beside it as can be."""
    reaching = (finding for finding in _scored(text, score) if finding.score >= threshold)
    return min(reaching, key=lambda finding: finding.end - finding.start, default=None)


def highest(text: str, score: InjectionScore) -> float:
    """The score of the worst window, whatever the threshold."""
    return max((finding.score for finding in _scored(text, score)), default=0.0)


def _scored(text: str, score: InjectionScore) -> list[Finding]:
    places = windows(text)
    discount = _ODDS_PER_WINDOW * math.log(max(1, len(places)))
    return [
        Finding(start, end, "INJECTION", _discounted(_worst(text[start:end], score), discount)) for start, end in places
    ]


def worst_sentence(text: str, score: InjectionScore, threshold: float, kind: str) -> list[Finding]:
    """The sentence that scores highest, if it reaches the threshold."""
    found = [Finding(start, end, kind, score(text[start:end])) for start, end in sentences(text)]
    worst = max(found, key=lambda finding: finding.score, default=None)
    return [worst] if worst and worst.score >= threshold else []


def windows(text: str) -> list[tuple[int, int]]:
    """Each sentence, each pair of neighbours, and the whole where it is short enough."""
    single = sentences(text)
    pairs = [(left[0], right[1]) for left, right in pairwise(single)]
    whole = [(0, len(text))] if text.strip() and len(text) <= _WHOLE else []
    return list(dict.fromkeys(whole + single + pairs))


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand; short ones are taken together, long ones cut."""
    found: list[tuple[int, int]] = []
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        if found and end - found[-1][0] <= _TOGETHER and min(end - start, found[-1][1] - found[-1][0]) < _SHORT:
            start = found.pop()[0]
        found += [(at, min(at + _LONGEST, end)) for at in range(start, end, _LONGEST)]
    return found


def _worst(text: str, score: InjectionScore) -> float:
    plain, decoded, playful = told(text)
    open_ones = [score(reading) for reading in (*playful, *(() if is_disguised(text) else (plain,)))]
    hidden_ones = [score(reading) for reading in (*decoded, *((plain,) if is_disguised(text) else ()))]
    return max([*open_ones, *(_discounted(found, -_ODDS_FOR_HIDING) for found in hidden_ones)])


def _discounted(probability: float, discount: float) -> float:
    bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return 1 / (1 + math.exp(discount - math.log(bounded / (1 - bounded))))
