"""Shares with the interval that their number of cases allows."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `cases`."""

    hits: int
    cases: int

    def __add__(self, other: "Share") -> "Share":
        return Share(self.hits + other.hits, self.cases + other.cases)

    @property
    def value(self) -> float:
        """From 0 to 1; 0 where there was no case."""
        return self.hits / self.cases if self.cases else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, after Wilson (1927): honest for few cases and for shares near 0 and 1."""
        if not self.cases:
            return 0.0, 1.0
        n, p = self.cases, self.value
        middle = p + _Z * _Z / (2 * n)
        reach = _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        scale = 1 + _Z * _Z / n
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
