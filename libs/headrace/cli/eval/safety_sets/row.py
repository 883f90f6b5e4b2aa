"""A figure of the table."""

from dataclasses import dataclass
from typing import Any

from headrace.cli.eval.safety_sets.measuring import Share


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, and what it should be. `higher`: more is better."""

    what: str
    data: str
    share: Share
    wanted: float | None = None
    higher: bool = True
    baseline: Share | None = None

    @property
    def reached(self) -> bool:
        """Whether the figure is what it should be."""
        if self.wanted is None:
            return True
        return self.share.value >= self.wanted if self.higher else self.share.value <= self.wanted

    def facts(self) -> dict[str, Any]:
        """For scripts."""
        low, high = self.share.interval
        return {
            "what": self.what,
            "set": self.data,
            "cases": self.share.cases,
            "hits": self.share.hits,
            "figure": round(self.share.value, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "wanted": self.wanted,
            "reached": self.reached,
            "baseline": round(self.baseline.value, 4) if self.baseline else None,
        }
