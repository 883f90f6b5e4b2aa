"""How long to wait for a ledger that says nothing before a turn that may have a result is generated again."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.inference.domain.admission import Priority

# It may only be slow: a process that has just begun is redelivered what its predecessor had in hand, all at once.
# Somebody waits for a chat.
_LONGEST_S: Final[Mapping[Priority, float]] = MappingProxyType({"interactive": 3.0, "batch": 60.0})
# Of what is left to the deadline: the rest is for the answer.
_SHARE: Final = 0.25


def patience_s(priority: Priority, left_ms: int | None) -> float:
    """Seconds; `left_ms` to the deadline, None without one."""
    longest = _LONGEST_S[priority]
    return longest if left_ms is None else min(longest, max(0, left_ms) / 1000 * _SHARE)
