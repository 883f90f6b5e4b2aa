"""The delivery scenario: one service with all kinds of stages, fed, hit by faults, and drained."""

from collections import Counter
from typing import Final

from headrace.runtime.service import Service
from tests.chaos.sim.effects import Handlers, Store, produce
from tests.chaos.sim.faults import CALM_S, Faults, Kinds, draw
from tests.chaos.sim.inputs import DELTAS, SERVICE
from tests.chaos.sim.inputs import draw as draw_inputs
from tests.chaos.sim.process import Process
from tests.chaos.sim.promises import Promises
from tests.chaos.sim.run import Run

# Everything must be drained this long after the faults have ended. A broken stream waits for its expiry, by design.
DRAINED_S: Final = 1500.0
_LOOK_S: Final = 5.0


class Delivery:
    """Processes of one service, a few messages, and what becomes of them."""

    def __init__(self, run: Run, *, kill_at: int = 0, once: bool = False) -> None:
        """`kill_at`: no fault but this one, the first process dies before this step of its own.

        `once`: what a record leads to and its offset are one transaction, for all but streams.
        """
        self._run = run
        if once:
            run.exactly_once = lambda _service: lambda topic: topic != DELTAS
        self._kill_at = kill_at
        self._kinds = Kinds() if kill_at else draw(run.choice)
        self._quiet = self._kinds.quiet and not kill_at
        inputs = draw_inputs(run.choice)
        self._store = Store(fenced=not self._quiet)
        self._behaviours = {each.name: each.behaviour for each in inputs}
        self._calls: Counter[str] = Counter()
        self._promises = Promises(run, self._store, inputs, once=once)
        self._promises.watch(run.broker.group(f"headrace.{SERVICE}"))
        self._instances: dict[Process, str] = {}
        for each in inputs:
            run.loop.at(each.at_s, produce, run, each)
        moments = [each.at_s for each in inputs]
        self._faults = Faults(run, self._kinds, moments, self._replace, lambda: self._instances)

    async def play(self) -> None:
        """Run to the end and judge it."""
        run = self._run
        static = run.choice.random() < 0.4
        # A second member's arrival is a rebalance, and with it a fault.
        for number in range(1 if self._quiet else run.choice.choice((1, 2, 2, 3))):
            self._start(f"i{number}" if static else "")
        self._faults.plan()
        first = run.processes[0]
        if self._kill_at:
            first.hit, first.hit_at = run.kill, self._kill_at
        group = run.broker.group(f"headrace.{SERVICE}")
        await run.clock.sleep(CALM_S)
        while lag := group.lag():
            if run.loop.time() > CALM_S + DRAINED_S:
                run.violation(f"stuck: {dict(sorted(lag.items()))} not committed {DRAINED_S} s after the last fault")
                break
            await run.clock.sleep(_LOOK_S)
        self._paused_for_ever()
        run.figures["late_effects_dropped"] += self._store.dropped
        self._promises.conclude(quiet=self._quiet)

    def _start(self, instance: str) -> None:
        process = self._run.start(self._build, SERVICE, instance=instance)
        self._instances[process] = instance

    def _replace(self, ended: Process) -> None:
        if ended in self._instances:
            if ended.alive:
                self._run.loop.at(1.0, self._replace, ended)
                return
            self._start(self._instances.pop(ended))

    def _build(self, process: Process) -> Service:
        return Handlers(self._run, self._store, self._behaviours, self._calls, process).service()

    def _paused_for_ever(self) -> None:
        for process, transport in self._run.transports.items():
            for subscription in transport.subscriptions if self._run.serving(process) else ():
                if subscription.paused:
                    self._run.violation(f"paused for ever: {sorted(subscription.paused)} in process {process.number}")
