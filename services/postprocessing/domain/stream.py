"""Where a cleared delta belongs in its stream."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """The attempt that is being shown, and the sequence number that comes next."""

    attempt: int
    next_seq: int


@dataclass(frozen=True, slots=True)
class Begins:
    """The first delta of an attempt; `restarted` where it may supersede what a reader has seen."""

    restarted: bool


@dataclass(frozen=True, slots=True)
class Continues:
    """The delta that was due."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Seen before, of an attempt that is void, or the tail of a stream that has ended."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A delta before this one has not come: what follows cannot be formatted."""

    expected: int


Place = Begins | Continues | Ignored | Missing


def place(position: Position | None, attempt: int, seq: int, *, again: bool) -> Place:
    """Decide by attempt first: the highest one counts. `again`: it says itself that it is not the first."""
    if position is None or attempt > position.attempt:
        if seq == 0:
            return Begins(restarted=position is not None or again)
        # Without its beginning it is the rest of a stream whose end was already told, read again after a restart.
        return Ignored() if position is None else Missing(0)
    if attempt < position.attempt or seq < position.next_seq:
        return Ignored()
    return Continues() if seq == position.next_seq else Missing(position.next_seq)
