"""What can be wrong with a connection, in three strengths each. The names and meanings are toxiproxy's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["latency", "bandwidth", "slicer", "reset", "half-open", "down"]


@dataclass(frozen=True, slots=True)
class Latency:
    """Every piece arrives this much later, in both directions; what follows is not slowed beyond that."""

    ms: float


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """No connection carries more than this in either direction."""

    bytes_per_second: int


@dataclass(frozen=True, slots=True)
class Slicer:
    """What comes in one piece goes on in many small ones, with a pause between them."""

    size: int
    pause_ms: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Open connections are reset at once, new ones so long after they were opened."""

    after_ms: float


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Connections are accepted and stay, and what is sent on them is never heard of again.

    `hears`: only the answers are lost, so that everything asked is done and nobody knows. `for_good`: whoever holds
    such a connection is not told of its end either, when the other side is well again.
    """

    hears: bool = False
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class Down:
    """Nobody listens; open connections are reset. `seconds`: for how long, where that is not the cell's own time."""

    seconds: float | None = None


Toxic = Latency | Bandwidth | Slicer | Reset | HalfOpen | Down

# From what a bad day brings to what hardly anything survives.
STRENGTHS: Final[Mapping[Kind, tuple[Toxic, Toxic, Toxic]]] = {
    "latency": (Latency(50), Latency(300), Latency(2_000)),
    "bandwidth": (Bandwidth(256 * 1024), Bandwidth(32 * 1024), Bandwidth(4 * 1024)),
    "slicer": (Slicer(1024, 1), Slicer(128, 5), Slicer(16, 10)),
    "reset": (Reset(1_000), Reset(100), Reset(0)),
    "half-open": (HalfOpen(hears=True), HalfOpen(), HalfOpen(for_good=True)),
    # The last one is longer than a consumer's session.
    "down": (Down(1), Down(), Down(15)),
}
