"""Chance that a seed decides."""

import zlib
from random import Random


def chance(seed: int, of: str) -> Random:
    """A stream of choices of its own for each part, so that one part's draw does not move another's."""
    return Random((seed << 32) ^ zlib.crc32(of.encode()))  # noqa: S311 - schedules must repeat, not be unguessable
