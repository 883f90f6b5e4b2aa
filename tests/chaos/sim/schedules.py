"""Runs schedules by scenario and seed."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from tests.chaos.sim.chance import chance
from tests.chaos.sim.delivery import Delivery
from tests.chaos.sim.run import Run, deterministic


class Scenario(Protocol):
    """What happens in a run."""

    async def play(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one schedule came to. Equal digests: the two runs did the same, step by step."""

    scenario: str
    seed: int
    violations: tuple[str, ...]
    digest: int
    steps: int
    virtual_s: float


SCENARIOS: Final[Mapping[str, Callable[[Run], Scenario]]] = {"delivery": Delivery}


def run_schedule(scenario: str, seed: int, told: Callable[[str], None] | None = None) -> Outcome:
    """Run one schedule from its seed to its end."""
    gaps = chance(seed, "gaps").choice((0.0, 0.3))
    run = Run(seed, gaps=gaps, told=told)
    with deterministic(run):
        try:
            run.loop.run_until_complete(SCENARIOS[scenario](run).play())
        except AssertionError as exc:
            run.violation(f"{type(exc).__name__}: {exc}")
        finally:
            run.over = True
            run.loop.dismantle()
    return Outcome(scenario, seed, tuple(run.violations), run.loop.digest, run.loop.steps, run.loop.time())


def silence() -> None:
    """Keep the services' logs out of millions of schedules, and leave the collection of cycles to `sweep`."""
    structlog.configure(processors=[_drop], cache_logger_on_first_use=True)
    gc.disable()


def _drop(_logger: object, _method: str, _event: structlog.types.EventDict) -> structlog.types.EventDict:
    raise structlog.DropEvent
