"""How many bytes something keeps in memory, so that what is bounded by memory counts what it really takes."""

from collections.abc import Mapping
from enum import Enum
from sys import getsizeof
from typing import Any


def weight(*kept: object) -> int:
    """Bytes of these and of all that they hold: attributes, mappings, tuples, lists. What appears twice counts once.

    For plain data without cycles beyond those of shared objects; enum members and classes are nobody's own and weigh
    nothing.
    """
    seen: set[int] = set()
    total = 0
    waiting = list(kept)
    while waiting:
        each = waiting.pop()
        if id(each) in seen or each is None or isinstance(each, Enum | type | bool):
            continue
        seen.add(id(each))
        total += getsizeof(each)
        waiting += _held_by(each)
    return total


def _held_by(each: Any) -> list[object]:
    if isinstance(each, Mapping):
        return [*each.keys(), *each.values()]
    if isinstance(each, tuple | list):
        return list(each)
    held = [getattr(each, name) for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    if attributes := getattr(each, "__dict__", None):
        held.append(attributes)
    return held
