"""The delivery scenario: one service with all kinds of stages, fed, hit by faults, and drained."""

from collections import Counter
from contextlib import nullcontext
from typing import Final
from unittest.mock import patch

from headrace.messaging.records import TopicPartition
from headrace.runtime.service import Service
from tests.chaos.sim.effects import FLOOD, Handlers, Store, produce
from tests.chaos.sim.faults import CALM_S, Faults, Kinds, draw, draw_few
from tests.chaos.sim.inputs import DELTAS, SERVICE, draw_burst, draw_lethal, draw_plain
from tests.chaos.sim.inputs import draw as draw_inputs
from tests.chaos.sim.process import Process
from tests.chaos.sim.promises import Promises
from tests.chaos.sim.run import Run

# Everything must be drained this long after the faults have ended. A broken stream waits for its expiry, by design.
DRAINED_S: Final = 1500.0
# A key with a hundred messages of which some rest five minutes in their place.
_BURST_DRAINED_S: Final = 9000.0
_LOOK_S: Final = 5.0
_PROBED_S: Final = 200.0
# Of events, of streams, and the first one of turns: those that a bad build fails.
STAGES: Final = 3


class Delivery:
    """Processes of one service, a few messages, and what becomes of them."""

    def __init__(
        self,
        run: Run,
        *,
        kill_at: int = 0,
        once: bool = False,
        flood: bool = False,
        burst: bool = False,
        lethal: bool = False,
    ) -> None:
        """`kill_at`: no fault but this one, the first process dies before this step of its own.

        `once`: what a record leads to and its offset are one transaction, for all but streams. `flood`: for a while
        every handler fails on everything, as a bad build does. `burst`: more comes at once than fits in memory.
        `lethal`: one message ends every process that handles it.
        """
        self._run = run
        if once:
            run.exactly_once = lambda _service: lambda topic: topic != DELTAS
        self._kill_at = kill_at
        self._kinds = Kinds() if kill_at else draw_few(run.choice) if lethal else draw(run.choice)
        self._quiet = self._kinds.quiet and not kill_at and not lethal
        began = run.choice.uniform(0, 10)
        self._bad_build = (began, began + run.choice.uniform(1, 60)) if flood else None
        self._burst = burst
        drawn = draw_plain if flood else draw_burst if burst else draw_lethal if lethal else draw_inputs
        inputs = drawn(run.choice)
        self._store = Store(fenced=not self._quiet)
        self._behaviours = {each.name: each.behaviour for each in inputs}
        self._calls: Counter[str] = Counter()
        self._promises = Promises(run, self._store, inputs, once=once, flood=flood)
        self._promises.watch(run.broker.group(f"headrace.{SERVICE}"))
        self._instances: dict[Process, str] = {}
        for each in inputs:
            run.loop.at(each.at_s, produce, run, each)
        moments = [each.at_s for each in inputs]
        self._faults = Faults(run, self._kinds, moments, self._replace, lambda: self._instances)

    async def play(self) -> None:
        """Run to the end and judge it."""
        # So few that what is finished behind a slow message soon is too much.
        with patch("headrace.messaging.pauses.OUTSTANDING", 5) if self._burst else nullcontext():
            await self._play()

    async def _play(self) -> None:
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
        patience_s = _BURST_DRAINED_S if self._burst else DRAINED_S
        while (lag := group.lag()) or any(process.alive and process.frozen for process in run.processes):
            if run.loop.time() > CALM_S + patience_s:
                run.violation(f"stuck: {dict(sorted(lag.items()))} not committed {patience_s} s after the last fault")
                break
            await run.clock.sleep(_LOOK_S)
        if self._paused():
            # A breaker of a process that has just woken up takes its time until it tries.
            await run.clock.sleep(_PROBED_S)
        for process, places in self._paused().items():
            run.violation(f"paused for ever: {sorted(places)} in process {process.number}")
        run.figures["pauses_of_partitions"] += sum(
            subscription.pauses for transport in run.transports.values() for subscription in transport.subscriptions
        )
        run.figures["late_effects_dropped"] += self._store.dropped
        self._promises.conclude(quiet=self._quiet and not self._bad_build)
        if self._bad_build:
            self._gave_up_few()

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
        return Handlers(
            self._run, self._store, self._behaviours, calls=self._calls, process=process, bad_build=self._bad_build
        ).service()

    def _gave_up_few(self) -> None:
        """Each breaker of each process gives up fewer than its limit before it opens, and after each assignment."""
        lives = len(self._run.processes) + self._run.broker.group(f"headrace.{SERVICE}").rebalances
        if self._promises.moved > (FLOOD - 1) * STAGES * lives:
            self._run.violation(f"{self._promises.moved} messages were given up in a flood, in {lives} lives")

    def _paused(self) -> dict[Process, set[TopicPartition]]:
        return {
            process: subscription.paused
            for process, transport in self._run.transports.items()
            for subscription in (transport.subscriptions if self._run.serving(process) else ())
            if subscription.paused
        }
