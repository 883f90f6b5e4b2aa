"""Runs schedules by scenario and seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from tests.chaos.sim.chance import chance
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
    figures: Mapping[str, int]


# How many seeds in a row of the sweep are one schedule, killed at one step after the other.
_STEPS: Final = 200


def _delivery(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run)


def _once(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run, once=True)


def _flood(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run, once=run.seed % 2 == 1, flood=True)


def _burst(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run, once=run.seed % 2 == 1, burst=True)


def _lethal(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run, lethal=True)


def _sweep(run: Run, step: int) -> Scenario:
    from tests.chaos.sim.delivery import Delivery

    return Delivery(run, kill_at=step + 1, once=run.seed % 2 == 1)


def _path(run: Run, _step: int) -> Scenario:
    # All services and what they need: seconds that the other scenario does without.
    from tests.chaos.sim.path import Path

    return Path(run)


def _defect(run: Run, _step: int) -> Scenario:
    from tests.chaos.sim.path import Path

    return Path(run, defect=True)


SCENARIOS: Final[Mapping[str, Callable[[Run, int], Scenario]]] = {
    "delivery": _delivery,
    "once": _once,
    "flood": _flood,
    "burst": _burst,
    "lethal": _lethal,
    "sweep": _sweep,
    "path": _path,
    "defect": _defect,
}


def run_schedule(scenario: str, seed: int, told: Callable[[str], None] | None = None) -> Outcome:
    """Run one schedule from its seed to its end."""
    base, step = divmod(seed, _STEPS) if scenario == "sweep" else (seed, 0)
    run = Run(base, gaps=chance(base, "gaps").choice((0.0, 0.3)), told=told)
    with deterministic(run):
        try:
            run.loop.run_until_complete(SCENARIOS[scenario](run, step).play())
        except AssertionError as exc:
            run.violation(f"{type(exc).__name__}: {exc}")
        finally:
            run.over = True
            run.loop.dismantle()
    figures = run.figures
    figures["steps"] = run.loop.steps
    figures["virtual_seconds"] = int(run.loop.time())
    figures["rebalances"] = sum(group.rebalances for group in run.broker.groups.values())
    figures["requests_unanswered"] = run.network.unanswered
    return Outcome(scenario, seed, tuple(run.violations), run.loop.digest, figures)


def drop_logs(*, for_good: bool) -> None:
    """Keep the services' logs out of the schedules; `for_good` where nothing else will log in this process."""
    structlog.configure(processors=[_drop], cache_logger_on_first_use=for_good)


def _drop(_logger: object, _method: str, _event: structlog.types.EventDict) -> structlog.types.EventDict:
    raise structlog.DropEvent
