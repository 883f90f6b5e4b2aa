"""What the supervisor keeps running: parts, services, and steps that are done once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from headrace.embedded.process import ChildProcess


class Part(Protocol):
    """Something that starts, answers and stops; `start` may be called again after its process died."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str:
        """Where it is reached, from `start` on."""

    @property
    def process(self) -> ChildProcess | None:
        """Its process; None for what has none."""

    async def start(self) -> None:
        """Return when it can be used; raise `Fatal` when it cannot."""

    async def stop(self) -> None:
        """Stop in order; fine to call before `start` and twice."""


@dataclass(frozen=True, slots=True)
class Member:
    """A part and its place among the others."""

    part: Part
    # Started after these are ready, stopped before they are.
    needs: frozenset[str] = frozenset()
    # Restarted when one of these was: its state went with it.
    bound_to: frozenset[str] = frozenset()
    # What all others do without: nobody waits for it, and where it fails, it fails alone.
    optional: bool = False


@dataclass(slots=True)
class Elsewhere:
    """A part that runs somewhere else: only its address is ours."""

    name: str
    address: str
    process: None = None

    async def start(self) -> None:
        """It is there, or its clients say that it is not."""

    async def stop(self) -> None:
        """Not ours to stop."""


@dataclass(slots=True)
class Step:
    """Work that is done once."""

    name: str
    run: Callable[[], Awaitable[str]]
    address: str = field(default="", init=False)
    process: None = field(default=None, init=False)

    async def start(self) -> None:
        """Do the work; what it returns is shown in place of an address."""
        self.address = await self.run()

    async def stop(self) -> None:
        """Nothing is left to stop."""


def stop_waves(needs: Mapping[str, frozenset[str]]) -> tuple[frozenset[str], ...]:
    """The order of stopping: each wave holds what nothing still running needs."""
    running = dict(needs)
    waves = []
    while running:
        needed = frozenset().union(*running.values())
        wave = frozenset(name for name in running if name not in needed)
        if not wave:
            raise ValueError(f"these need each other in a circle: {', '.join(sorted(running))}")
        waves.append(wave)
        for name in wave:
            del running[name]
    return tuple(waves)
