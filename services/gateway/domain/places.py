"""Where a turn's replies lie, so that any gateway can read them again."""

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offsets:
    """A place in one partition of both reply topics."""

    deltas: int
    responses: int

    def earlier(self, other: "Offsets") -> "Offsets":
        """The place from which a reader passes both."""
        return Offsets(min(self.deltas, other.deltas), min(self.responses, other.responses))

    def reaches(self, other: "Offsets") -> bool:
        """Whether a reader standing here will still pass the other place."""
        return self.deltas <= other.deltas and self.responses <= other.responses


@dataclass(frozen=True, slots=True)
class Place:
    """The reply partition of a turn and where in it to begin reading."""

    partition: int
    start: Offsets


def slot_of(instance: str, partitions: int) -> int:
    """The reply partition of a gateway that was given none: the same after every restart."""
    return zlib.crc32(instance.encode()) % partitions
