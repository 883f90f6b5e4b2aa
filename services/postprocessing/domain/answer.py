"""What became of a turn: its status, and the text that may be shown for it."""

from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["ANSWERED", "REFUSED", "FAILED", "CANCELLED", "EXPIRED"]

_FINISH: Final[dict[Status, str]] = {
    "REFUSED": "content_filter",
    "CANCELLED": "cancelled",
    "FAILED": "error",
    "EXPIRED": "error",
}


@dataclass(frozen=True, slots=True)
class Generated:
    """What the model wrote."""

    text: str
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the output gate let through: all of it, or what came before the stop."""

    text: str
    stopped: bool
    delta_count: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status and raw text of an answer, before formatting."""

    status: Status
    text: str
    delta_count: int
    finish_reason: str


def conclude(outcome: Status | None, generated: Generated | None, judged: Judged | None) -> Verdict:
    """What to tell the asker.

    Fail closed: of a turn that ended before its whole answer was judged, no text is told; what its reader has seen as
    deltas was judged piece by piece and stands as it is. Only a pipeline without a gate shows unjudged text.
    """
    status = outcome or _status(generated, judged)
    reason = _FINISH.get(status) or (generated.finish_reason if generated else "") or "stop"
    if judged is not None:
        return Verdict(status, judged.text, judged.delta_count, reason)
    text = generated.text if outcome is None and generated is not None else ""
    return Verdict(status, text, 0, reason)


def _status(generated: Generated | None, judged: Judged | None) -> Status:
    if judged is not None and judged.stopped:
        return "REFUSED"
    if generated is None:
        return "FAILED"
    return "CANCELLED" if generated.finish_reason == "cancelled" else "ANSWERED"


def in_order_of_citation(text: str, markers: tuple[str, ...]) -> tuple[int, ...]:
    """Indexes of the passages: those that the text cites, in its order, then those that were only given.

    A small model often forgets to cite; its reader still wants to see what it was given. A passage is cited if its
    marker stands in the text.
    """
    cited = sorted((text.find(marker), index) for index, marker in enumerate(markers) if marker and marker in text)
    first = [index for _, index in cited]
    return (*first, *(index for index in range(len(markers)) if index not in first))
