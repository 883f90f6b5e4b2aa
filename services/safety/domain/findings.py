"""What a recogniser finds, and what a verdict says about it: places and names, never the words."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from services.safety.domain.policy import Action, Side


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Characters [start, end) of a text are of this kind, with a confidence from 0 to 1."""

    start: int
    end: int
    kind: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule said; `start` and `end` are characters of the judged text."""

    rule: str
    action: Action
    direction: Side
    reason: str
    score: float
    start: int
    end: int


# Finds every place of one kind.
Recogniser = Callable[[str], Iterable[Finding]]
# From 0 (harmless) to 1 (an attempt to take over the model).
InjectionScore = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Detectors:
    """What the rules look with."""

    personal: Mapping[str, Recogniser] = field(default_factory=dict)
    injection: InjectionScore = lambda _text: 0.0
    # The same of a passage of a document: from 0 (says something) to 1 (tells the model what to do).
    hidden: InjectionScore = lambda _text: 0.0
    toxicity: InjectionScore = lambda _text: 0.0
    # What the model was told and nobody else: the texts of our own prompts.
    instructions: tuple[str, ...] = ()


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """In order of place; of two that overlap the surer, then the longer, stays."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda found: (-found.score, found.start - found.end, found.start)):
        at = bisect_left(kept, finding.start, key=lambda other: other.end - 1)
        if at == len(kept) or finding.end <= kept[at].start:
            kept.insert(at, finding)
    return kept
