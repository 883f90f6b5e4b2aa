"""Figures of rankings: recall and first hits over scenarios, with intervals by resampling them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DEPTH: Final = 5
_RESAMPLES: Final = 5_000
_FOLDS: Final = 5

Ranking = Sequence[str]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the bounds that hold it in 95 of 100 samples of scenarios."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a ranking reached, scenario by scenario."""

    # Of the documents that a scenario needs, the share among the first five.
    recall: Values
    # Whether the first is one of them.
    first: Values


def outcome(rankings: Sequence[Ranking], needed: Sequence[Collection[str]]) -> Outcome:
    """Rankings and needed documents in the same order of scenarios."""
    recall = [len(set(each[:DEPTH]) & set(want)) / len(want) for each, want in zip(rankings, needed, strict=True)]
    first = [float(each[:1] != [] and each[0] in want) for each, want in zip(rankings, needed, strict=True)]
    return Outcome(np.array(recall), np.array(first))


def reachable(needed: Sequence[Collection[str]]) -> float:
    """The highest recall that five documents can have: some scenarios need more."""
    return float(np.mean([min(DEPTH, len(want)) / len(want) for want in needed]))


def estimate(values: Values) -> Estimate:
    """Percentile bootstrap (Efron 1979)."""
    drawn = values[_picks(len(values))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def ratio(values: Values, base: Values) -> Estimate:
    """How many times the base, resampling both by the same scenarios."""
    picks = _picks(len(values))
    drawn = values[picks].mean(axis=1) / np.maximum(base[picks].mean(axis=1), 1e-9)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(values.mean() / base.mean()), float(low), float(high))


def cross_validated(outcomes: Sequence[Outcome]) -> Outcome:
    """Each scenario as it came out under the setting that was best on the other folds: none has chosen for itself."""
    recall, first = outcomes[0].recall.copy(), outcomes[0].first.copy()
    fold_of = np.random.default_rng(0).permutation(len(recall)) % _FOLDS
    for fold in range(_FOLDS):
        held_out = fold_of == fold
        best = max(outcomes, key=lambda each: (each.recall[~held_out].mean(), each.first[~held_out].mean()))
        recall[held_out], first[held_out] = best.recall[held_out], best.first[held_out]
    return Outcome(recall, first)


def _picks(scenarios: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, scenarios, (_RESAMPLES, scenarios))
