"""Seconds that a model worked on one attempt, and the count of those that came to nothing."""

from dataclasses import dataclass
from typing import Literal

from headrace.telemetry import metrics

# The closed set of causes: the label of the metric.
Cause = Literal["cancelled", "expired", "policy", "superseded", "failed"]


@dataclass(slots=True)
class ModelTime:
    """Runs from the model's first step for the attempt; waiting for a slot is not work. Moments in seconds."""

    began: float | None = None
    ended: float | None = None
    worked: float = 0.0

    def begin(self, now: float) -> None:
        """The model is at work from here on; only the first call counts."""
        if self.began is None:
            self.began = now

    def end(self, now: float) -> None:
        """The slot is free again."""
        if self.began is not None and self.ended is None:
            self.ended = now
            self.worked = now - self.began


def count_wasted(model: str, cause: Cause, seconds: float) -> None:
    """Count model time that nobody has anything of."""
    if seconds > 0:
        metrics.WASTED_GENERATION_SECONDS.labels(model, cause).inc(seconds)
