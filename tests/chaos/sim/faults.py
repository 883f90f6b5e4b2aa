"""What goes wrong in a schedule, and when: drawn from its seed, over before `CALM_S`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.sim.network import Trouble
from tests.chaos.sim.process import Process
from tests.chaos.sim.run import Run

CALM_S: Final = 30.0
_FREEZES_S: Final = (0.5, 3.0, 8.0, 14.0, 40.0, 150.0)


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which faults a schedule has."""

    kills: int = 0
    freezes: int = 0
    rebalances: int = 0
    restarts: int = 0
    troubles: int = 0

    @property
    def quiet(self) -> bool:
        return self == Kinds()


def draw(choice: Random) -> Kinds:
    """One kind alone, all together, or none: each finds what the others hide."""
    one = choice.randint(1, 3)
    return choice.choice(
        (
            Kinds(),
            Kinds(kills=one),
            Kinds(kills=one),
            Kinds(freezes=one),
            Kinds(rebalances=one),
            Kinds(restarts=one),
            Kinds(troubles=one),
            Kinds(kills=1, rebalances=one, troubles=1),
            Kinds(kills=one, freezes=1, rebalances=1, restarts=1, troubles=1),
        )
    )


def draw_few(choice: Random) -> Kinds:
    """Beside a message that kills: nothing that kills as well, since nobody could tell whose doing a death was."""
    one = choice.randint(1, 2)
    return choice.choice((Kinds(), Kinds(rebalances=one), Kinds(restarts=one), Kinds(troubles=one)))


@dataclass
class Faults:
    """Plans the faults of a run on the processes that its scenario keeps running."""

    run: Run
    kinds: Kinds
    # When there is something to disturb: most faults fall near one of these moments.
    moments: Sequence[float]
    # Starts a process in the place of one that ended.
    replace: Callable[[Process], None]
    # The processes that may be hit.
    targets: Callable[[], Iterable[Process]]

    def plan(self) -> None:
        """Set a timer for each."""
        choice, run = self.run.choice, self.run
        run.after_death = self._died
        for _ in range(self.kinds.kills):
            run.loop.at(self._moment(), self._aim, run.kill)
        for _ in range(self.kinds.freezes):
            seconds = choice.choice(_FREEZES_S)
            run.loop.at(self._moment(), self._aim, lambda process, seconds=seconds: run.freeze(process, seconds))
        for _ in range(self.kinds.rebalances):
            at_s = self._moment()
            for again in range(choice.choice((1, 1, 2))):
                run.loop.at(at_s + again * choice.random(), self._rebalance)
        for _ in range(self.kinds.restarts):
            run.loop.at(self._moment(), self._aim, self._restart)
        for _ in range(self.kinds.troubles):
            start = min(self._moment(), CALM_S - 8)
            trouble = Trouble(choice.choice((0.1, 0.3, 0.6)), choice.choice((0.002, 0.2, 2.0)))
            run.loop.at(start, self._trouble, trouble)
            run.loop.at(start + choice.uniform(0.5, 6), self._trouble, Trouble())
        run.loop.at(CALM_S, self._calm)

    def _moment(self) -> float:
        choice = self.run.choice
        if self.moments and choice.random() < 0.8:
            return max(0.0, min(CALM_S, choice.choice(self.moments) + choice.uniform(-0.02, 0.1)))
        return choice.uniform(0, CALM_S)

    def _aim(self, hit: Callable[[Process], None]) -> None:
        """Hit a process at an await point that the seed picks: now, or within its next steps."""
        targets = [process for process in self.targets() if self.run.serving(process) and not process.frozen]
        if targets:
            target = self.run.choice.choice(targets)
            target.hit, target.hit_at = hit, target.steps + self.run.choice.randint(1, 100)

    def _restart(self, process: Process) -> None:
        self.run.terminate(process)
        self.run.loop.at(self.run.choice.uniform(0.1, 30), self.replace, process)

    def _rebalance(self) -> None:
        for group in self.run.broker.groups.values():
            self.run.note("rebalance", group.name)
            group.rebalance()

    def _trouble(self, trouble: Trouble) -> None:
        self.run.note("network", f"{trouble.share:.0%} of requests fail, delays of {trouble.delay_s} s")
        self.run.network.trouble = trouble

    def _died(self, process: Process) -> None:
        self.run.loop.at(self.run.choice.uniform(0.05, 15), self.replace, process)

    def _calm(self) -> None:
        self.run.network.trouble = Trouble()
        for process in self.run.processes:
            process.hit_at = 0
