"""How attempts at a turn are numbered, so that a later one is higher, with the ledger or without it."""

from collections import OrderedDict
from typing import Final

# As many turns as can be at work twice in one process within the time that a retry takes.
_REMEMBERED: Final = 10_000
# No other process has a turn sooner than this after somebody began with it: whoever dies or gives it up takes longer.
_CHANGE_OF_HANDS_MS: Final = 1000
_HIGHEST: Final = 2**31 - 1


class Attempts:
    """The ledger counts attempts; where it is away, the milliseconds since the turn's submission do.

    They rise by themselves, from one process to the next. That the ledger, back again, does not fall below them, it is
    given them as a floor; not in a turn's first second, when only this process can have been at it, which remembers
    its own.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], int] = OrderedDict()

    def floor(self, turn: tuple[str, str], age_ms: int) -> int:
        """The lowest number that the ledger may give."""
        by_clock = _by_clock(age_ms) if age_ms >= _CHANGE_OF_HANDS_MS else 1
        return max(self._last.get(turn, 0) + 1, by_clock)

    def without_ledger(self, turn: tuple[str, str], age_ms: int) -> int:
        """The number of an attempt that no ledger has counted."""
        return max(self._last.get(turn, 0) + 1, _by_clock(age_ms))

    def again(self, turn: tuple[str, str], age_ms: int) -> bool:
        """Whether an earlier attempt may have been seen, as far as it can be known without the ledger."""
        return turn in self._last or age_ms >= _CHANGE_OF_HANDS_MS

    def note(self, turn: tuple[str, str], attempt: int) -> None:
        """Remember what was given."""
        self._last[turn] = attempt
        self._last.move_to_end(turn)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


def _by_clock(age_ms: int) -> int:
    return min(max(0, age_ms) + 1, _HIGHEST)
