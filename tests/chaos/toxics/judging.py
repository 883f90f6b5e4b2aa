"""What must hold while a dependency is sick, and after it is well again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.chaos.toxics.asking import Told
from tests.chaos.toxics.sick_path import Dependency
from tests.chaos.toxics.toxic import Kind

# Beyond a turn's deadline.
GRACE: Final = 1.1
RECOVERY_S: Final = 5.0
# What a gateway or a stage may say of a turn that it cannot have answered: what is wrong, and what to do.
HONEST: Final = frozenset(
    {"EXPIRED", "FAILED", "unavailable", "deadline_exceeded", "no_answer", "too_busy", "answer_stopped"}
)
# Without these every turn is answered all the same.
DISPENSABLE: Final[frozenset[Dependency]] = frozenset({"redis", "qdrant", "collector"})
# A machine that others use as well has its own hiccups.
COLLECTOR_RATIO: Final = 1.5
COLLECTOR_SLACK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Cell:
    """One toxic on one dependency, in one strength."""

    dependency: Dependency
    kind: Kind
    strength: int

    def __str__(self) -> str:
        return f"{self.dependency} {self.kind}/{self.strength + 1}"


@dataclass(frozen=True, slots=True)
class Seen:
    """All that people were told: before, while it was sick, after it was well again, and those who asked again."""

    calm: Sequence[Told]
    sick: Sequence[Told]
    after: Sequence[Told]
    again: Sequence[Told]
    relieved_at: float
    # An answer within this time is one as on a calm day.
    normal_s: float


def recovered_s(seen: Seen) -> float | None:
    """From relief to the first question since which all are answered as on a calm day; None: not to the last."""
    recovered: float | None = None
    for told in sorted(seen.after, key=lambda each: each.asked_at):
        if is_normal(told, seen.normal_s):
            recovered = told.asked_at - seen.relieved_at if recovered is None else recovered
        else:
            recovered = None
    return recovered


def is_normal(told: Told, normal_s: float) -> bool:
    """Whether an answer came as on a calm day, sources and all."""
    return told.answered and told.sourced and not told.wrong and told.seconds <= normal_s


def violations(cell: Cell, seen: Seen) -> list[str]:
    """A sentence for everything that did not hold."""
    found = [
        f"{cell}: turn {told.question.turn_id}: {what}"
        for told in (*seen.calm, *seen.sick, *seen.after)
        for what in (*told.wrong, *_wrong(told))
    ]
    found += [f"{cell}: turn {told.question.turn_id}: {what}" for told in seen.again for what in told.wrong]
    found += [f"{cell}: turn {told.question.turn_id}: {_bent(cell, told)}" for told in seen.sick if _bent(cell, told)]
    found += [
        f"{cell}: turn {told.question.turn_id} was asked again after relief and ended as {told.status or 'nothing'}"
        for told in seen.again
        # Its own end may have come meanwhile, while nobody could be told.
        if not told.final
    ]
    recovered = recovered_s(seen)
    if recovered is None or recovered > RECOVERY_S:
        took = "not at all" if recovered is None else f"after {recovered:.1f} s"
        told_of = sorted({told.status or "nothing" for told in seen.after if not is_normal(told, seen.normal_s)})
        found.append(f"{cell}: back to normal {took} of relief, meanwhile: {', '.join(told_of)}")
    if cell.dependency == "collector" and (slower := _slower(seen)):
        found.append(f"{cell}: {slower}")
    return found


def _wrong(told: Told) -> list[str]:
    limit = told.question.deadline_s * GRACE
    if told.seconds > limit:
        ended = f"{told.status} after {told.seconds:.1f} s" if told.ended_at else "nothing"
        return [f"{ended}, its deadline was {told.question.deadline_s:.1f} s"]
    if not told.answered and told.status not in HONEST:
        return [f"it ended as {told.status or 'nothing'}"]
    return []


def _bent(cell: Cell, told: Told) -> str:
    """What was kept from this turn that the dependency is not needed for."""
    if cell.dependency not in DISPENSABLE:
        return ""
    if not told.answered:
        return f"{cell.dependency} is sick and it was not answered but told {told.status or 'nothing'}"
    if cell.dependency == "collector" and not told.sourced:
        return "it has no sources"
    if not told.sourced and not told.notices:
        return "it has no sources and does not say so"
    return ""


def _slower(seen: Seen) -> str:
    calm, sick = (median(told.seconds for told in each) for each in (seen.calm, seen.sick))
    if sick <= COLLECTOR_RATIO * calm + COLLECTOR_SLACK_S:
        return ""
    return f"answers took {sick:.2f} s, {calm:.2f} s without"
