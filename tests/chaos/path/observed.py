"""What a run left behind, in the shape that a judge needs: nothing here knows where it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.path.journal import Line


@dataclass(frozen=True, slots=True)
class FinalSeen:
    """A `ResponseCompleted`, as far as two of them must agree."""

    status: str
    text: str
    attempt: int
    delta_count: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class ClassSeen:
    """A `ReviewClassified`, the same."""

    label: str
    confidence: float
    error: str = ""


@dataclass(slots=True)
class Observed:
    """Everything with an effect: on topics, in the memory, in the feedback database, in the engines."""

    # By turn, in the order of the topic.
    finals: dict[str, list[FinalSeen]] = field(default_factory=dict)
    # By turn, then attempt and seq: every text that was ever published there.
    pieces: dict[str, dict[tuple[int, int], set[str]]] = field(default_factory=dict)
    # By review, in the order of the topic.
    classes: dict[str, list[ClassSeen]] = field(default_factory=dict)
    # "stage: class of error" of each.
    dead_letters: list[str] = field(default_factory=list)
    # By conversation, in the order remembered.
    remembered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Ids of ratings and of turns, one a row.
    ratings: Sequence[str] = ()
    turns_kept: Sequence[str] = ()
    # What the report of the feedback service counts.
    ratings_counted: int = 0
    turns_counted: int = 0
    journal: Sequence[Line] = ()
    # When each answer was published, epoch ms.
    answered_ms: list[int] = field(default_factory=list)
    # Ids of what a topic holds, for those that a producer was told were taken.
    held: dict[str, set[str]] = field(default_factory=dict)
