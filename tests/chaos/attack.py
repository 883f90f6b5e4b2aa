"""What an attack on the promises is, and what it reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Size = Literal["ci", "full"]


@dataclass(frozen=True, slots=True)
class Report:
    """What one unit of an attack saw. A violation names what was broken and how to see it again."""

    # "10,000 schedules": how much was done, in words.
    done: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    violations: tuple[str, ...] = ()


class Progress(Protocol):
    """Told how far a unit has come, in any unit of its own."""

    def __call__(self, done: float, of: float, note: str = "") -> None: ...


class Attack(Protocol):
    """One line of the table. Modules of `tests.chaos.attacks` hold one each, named `ATTACK`."""

    @property
    def number(self) -> int: ...

    @property
    def title(self) -> str: ...

    @property
    def must_hold(self) -> str: ...

    def units(self, size: Size) -> Sequence[str]:
        """The parts that this size is run in, each under an hour; a full run that was cut off goes on after the last
        whole one."""
        ...

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        """Run one unit against parts that it starts and stops itself."""
        ...

    def merge(self, reports: Sequence[Report]) -> Report:
        """All units as one line."""
        ...
