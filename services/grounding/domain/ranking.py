"""Which passages go first: meaning and words together, each over what the worst of the candidates has anyway.

Ranks alone (reciprocal rank fusion) forget how far apart two passages are, and equal weights on ranks were worse than
either alone where one of the two is weak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from services.grounding.domain.context import Passage

Name = TypeVar("Name", int, str)

# How long a list of results is: about a point that is not on it, it says at most what it says about its last.
LIST: Final = 100


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each evidence counts; see README.md for where they were measured."""

    # Of meaning; words have the rest.
    meaning: float = 0.5
    # Of a long question's windows those count that a passage answers best.
    windows: int = 3
    # What a document's second passage adds to its first.
    support: float = 0.3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with what was found about it; `cosines` one for each window of the question."""

    passage: Passage
    cosines: tuple[float, ...]
    # By words, as the store scored it; 0 where it was not among the best.
    lexical: float
    # As `cosines`, by the stronger encoder; empty where there is none.
    strong: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """A point on one list of results."""

    id: str
    score: float


def shortlist(meaning: Sequence[Sequence[Scored]], words: Sequence[Scored], weights: Weights, limit: int) -> list[str]:
    """The ids worth a closer look, of what each window and the words have found."""
    gained: dict[str, list[float]] = {}
    for found in meaning:
        for name, over in _over_last(found).items():
            gained.setdefault(name, []).append(over)
    by_meaning = _to_one({name: sum(sorted(parts)[-weights.windows :]) for name, parts in gained.items()})
    by_words = _to_one(_over_last(words))
    names = {**by_meaning, **by_words}
    total = {name: _weighed(by_meaning.get(name, 0.0), by_words.get(name, 0.0), weights) for name in names}
    return sorted(total, key=lambda name: -total[name])[:limit]


def rank(candidates: Sequence[Candidate], weights: Weights) -> list[Passage]:
    """All of them, best first; of each document the best passage stands for what a second one adds to it."""
    if not candidates:
        return []
    names = range(len(candidates))
    judged = [candidate.strong or candidate.cosines for candidate in candidates]
    floors = [min(window) for window in zip(*judged, strict=True)]
    over = [sorted(cosine - floor for cosine, floor in zip(each, floors, strict=True)) for each in judged]
    meaning = _to_one({name: sum(over[name][-weights.windows :]) for name in names})
    least = min(candidate.lexical for candidate in candidates)
    words = _to_one({name: candidates[name].lexical - least for name in names})
    scores = {name: _weighed(meaning[name], words[name], weights) for name in names}
    supported = {**scores, **_supported(candidates, scores, weights)}
    order = sorted(names, key=lambda name: (-supported[name], -scores[name]))
    return [replace(candidates[name].passage, relevance=supported[name]) for name in order]


def _supported(candidates: Sequence[Candidate], scores: Mapping[int, float], weights: Weights) -> dict[int, float]:
    """The score of each document's best passage, with what its second adds."""
    of_document: dict[str, list[int]] = {}
    for name in sorted(scores, key=lambda name: -scores[name]):
        of_document.setdefault(candidates[name].passage.document_id, []).append(name)
    return {
        best: scores[best] + weights.support * sum(scores[second] for second in others[:1])
        for best, *others in of_document.values()
    }


def _over_last(found: Sequence[Scored]) -> dict[str, float]:
    """How far each stands over the last of a full list; of one that is not full, over nothing at all."""
    floor = found[-1].score if len(found) >= LIST else 0.0
    return {each.id: max(each.score - floor, 0.0) for each in found}


def _to_one(scores: dict[Name, float]) -> dict[Name, float]:
    best = max(scores.values(), default=0.0)
    return {name: score / best if best > 0 else 0.0 for name, score in scores.items()}


def _weighed(meaning: float, words: float, weights: Weights) -> float:
    return weights.meaning * meaning + (1 - weights.meaning) * words
