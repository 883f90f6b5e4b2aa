"""What may be cited of what was found: nothing that does not speak of the question, nothing twice."""

from collections.abc import Sequence
from typing import Final

from services.grounding.domain.analysis import stems
from services.grounding.domain.context import Passage

# A passage that has so much of the question's words speaks of it, whatever an encoder makes of them: names, numbers
# and codes mean little to one.
_COVERING: Final = 0.75
_LEAST_COVERED: Final = 2
# Of all triples of words that two passages have, the share in both from which they say the same.
_SAME: Final = 0.9
_SHINGLE: Final = 3


def citable(ranked: Sequence[Passage], question: Sequence[str], *, min_score: float, limit: int) -> list[Passage]:
    """The best `limit`, in their order; `question` is the stems of its words."""
    asked = set(question)
    kept: list[Passage] = []
    known: list[frozenset[tuple[str, ...]]] = []
    for passage in ranked:
        if len(kept) == limit:
            break
        said = stems(passage.text)
        if passage.score < min_score and not _covered(asked, said, passage):
            continue
        shingles = _shingles(said)
        if any(_overlap(shingles, other) >= _SAME for other in known):
            continue
        kept.append(passage)
        known.append(shingles)
    return kept


def _covered(asked: set[str], said: Sequence[str], passage: Passage) -> bool:
    there = asked & {*said, *stems(" ".join((passage.title, *passage.heading_path)))}
    return len(there) >= max(_LEAST_COVERED, _COVERING * len(asked))


def _shingles(said: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(said[at : at + _SHINGLE]) for at in range(max(len(said) - _SHINGLE + 1, 1)))


def _overlap(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)
