"""Figures from samples, with the bounds that hold them."""

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds that hold it in 95 of 100 samples."""

    value: float
    low: float
    high: float


def wilson(right: int, of: int) -> Interval:
    """A share with Wilson's 95 % score interval (1927)."""
    if of == 0:
        return Interval(0.0, 0.0, 1.0)
    share = right / of
    scale = 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / scale
    reach = _Z / scale * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach))
