"""What people said of the answers of one model, prompt template and experiment arm."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from headrace.bench.intervals import Interval, wilson


@dataclass(frozen=True, slots=True)
class Window:
    """Which answers, or which feedback, is meant; `None` is all."""

    tenant: str | None = None
    # Its name, whatever the version.
    pipeline: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts and means over a group of answers; `stars` are how many gave one, two, … five."""

    model: str
    template: str
    arm: str
    turns: int
    ratings: int
    mean_worth: float | None
    comments: int
    corrections: int
    up: int = 0
    down: int = 0
    stars: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    # How often each was given, the most frequent first.
    reasons: tuple[tuple[str, int], ...] = field(default=())

    @property
    def liked(self) -> Interval | None:
        """The share of thumbs that were up, with its 95 % interval; `None` without thumbs."""
        thumbs = self.up + self.down
        return wilson(self.up, thumbs) if thumbs else None


def counted(given: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """How often each reason was given; `given` are rows of reasons, by commas."""
    counts = Counter(reason for row in given for reason in row.split(",") if reason)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
