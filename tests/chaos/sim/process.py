"""A process of the simulation: the tasks that carry its context. Killed, none of them ever runs again."""

from asyncio import Handle
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Final

# Events of the network, the broker and the stores belong to no process: nothing that is killed takes them along.
WORLD: Final = Context()


@dataclass(eq=False)
class Process:
    """One service process. `steps` counts what it has run, so that it can be hit at each await point in turn."""

    name: str
    number: int
    alive: bool = True
    frozen: bool = False
    steps: int = 0
    # What happens to it before a step of its own: `hit_at` counts down, 0: nothing.
    hit_at: int = 0
    hit: Callable[["Process"], None] = lambda _process: None
    # When it was last frozen, and when it went on.
    frozen_s: float = -1.0
    thawed_s: float = -1.0
    # What became ready while it was frozen.
    parked: list[Handle] = field(default_factory=list)

    def context(self) -> Context:
        """A context in which every task started belongs to this process."""
        context = copy_context()
        context.run(PROCESS.set, self)
        return context


PROCESS: Final[ContextVar[Process | None]] = ContextVar("process", default=None)
