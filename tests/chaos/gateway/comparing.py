"""Percentiles, and whether one thing moves another, measured in turns on a machine that is never quiet. Pure."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_DRAWS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Change:
    """A ratio with its 95 % confidence interval: 1.03 is 3 % more."""

    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        low, ratio, high = (100 * (value - 1) for value in (self.low, self.ratio, self.high))
        return f"{ratio:+.1f} % [{low:+.1f}, {high:+.1f}]"


def change(pairs: Sequence[tuple[float, float]], seed: int) -> Change:
    """How much the second of each pair differs from the first: the median ratio, and its bootstrap over the pairs.

    Neighbours in time are paired, so that a machine which gets slower or faster moves both.
    """
    chance = random.Random(seed)  # noqa: S311 - draws of a bootstrap, to be repeated
    logs = [math.log(second / first) for first, second in pairs]
    medians = sorted(_median(chance.choices(logs, k=len(logs))) for _ in range(_DRAWS))
    low, high = medians[int(0.025 * _DRAWS)], medians[int(0.975 * _DRAWS) - 1]
    return Change(math.exp(_median(logs)), math.exp(low), math.exp(high))


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all does not exceed; infinite where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)] if ordered else math.inf


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
