"""An event loop on a virtual clock: no waiting, and an order of callbacks that a seed decides.

Time jumps to the next timer when nothing is ready. What is ready at one instant runs in an order drawn from the seed;
the same seed gives the same order, down to the last callback.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from itertools import count
from random import Random
from typing import Any, Final, TypeVarTuple

from tests.chaos.sim.process import PROCESS, WORLD, Process

_MASK: Final = (1 << 64) - 1
_Ts = TypeVarTuple("_Ts")


class Stalled(AssertionError):  # noqa: N818 - reads as the sentence it is
    """Nothing is ready and no timer is set: everything waits for everything."""


class SimTask(asyncio.Task[Any]):
    """Hashes by its number and not by its address, so that a set of tasks has the same order in every run."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, number: int, loop: "VirtualLoop", context: Context) -> None:
        self.number = number
        self.context = context
        super().__init__(coro, loop=loop, context=context)

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs processes; kills and freezes them between two steps of theirs."""

    # asyncio's own, which its stubs keep to themselves.
    _ready: deque[asyncio.Handle]

    def __init__(self, choice: Random, *, shuffled: bool = True) -> None:
        super().__init__()
        self._choice = choice
        # Shuffled: any ready callback may be next. Else a process keeps asyncio's own order, and only processes mix.
        self._shuffled = shuffled
        self._now = 0.0
        # By time, then in the order in which they were set; asyncio's own heap compares handles, in Python.
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timer_numbers = count()
        self._tasks_made: list[SimTask] = []
        self.steps = 0
        self.digest = 0
        self.set_task_factory(self._make)

    def time(self) -> float:
        return self._now

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._timer_numbers), timer))
        return timer

    def note(self, number: int) -> None:
        """Fold a fact into the digest of the run: two runs with the same digest did the same."""
        self.digest = (self.digest * 1_000_003 + number) & _MASK

    def at(self, delay_s: float, act: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        """Do something in the world after a while, whatever becomes of the process that asked for it."""
        return self.call_at(self._now + delay_s, act, *args, context=WORLD)

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on; to it, no time has passed."""
        process.frozen = False
        self._ready.extend(process.parked)
        process.parked.clear()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # of any result
        """Run it here and now; the caller learns of it a step later."""
        future = self.create_future()
        try:
            result = func(*args)
        except Exception as exc:  # noqa: BLE001 - it belongs to whoever awaits the future
            self.call_soon(_settle, future, None, exc)
        else:
            self.call_soon(_settle, future, result, None)
        return future

    def dismantle(self) -> None:
        """End all tasks without a further step of theirs having an effect, and close."""
        # What ends may start something to clean up: it belongs here, and ends with the rest.
        asyncio._set_running_loop(self)
        try:
            self._end_tasks()
        finally:
            asyncio._set_running_loop(None)
        self._tasks_made.clear()
        self._ready.clear()
        self._timers.clear()
        self.close()

    def _end_tasks(self) -> None:
        for task in self._tasks_made:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio has no public way to say that a task may die
                coroutine = task.get_coro()
                try:
                    task.context.run(coroutine.close)
                except RuntimeError:
                    # It waits for something while it cleans up, which a process that was killed does not do.
                    continue

    def _make(self, _loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None) -> SimTask:
        task = SimTask(coro, number=len(self._tasks_made), loop=self, context=context or copy_context())
        self._tasks_made.append(task)
        return task

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        while timers and (timers[0][0] <= self._now or timers[0][2]._cancelled):
            self._take_timer()
        while not ready:
            if not timers:
                raise Stalled("nothing is ready and no timer is set")
            when, _, timer = timers[0]
            if not timer._cancelled:
                self._now = max(self._now, when)
            self._take_timer()
        handle = self._pick()
        if handle._cancelled:
            return
        process = _process_of(handle)
        if process is not None and not self._may_step(process, handle):
            return
        self.steps += 1
        self.note(process.number * 7919 + process.steps if process else 1)
        handle._run()

    def _take_timer(self) -> None:
        _, _, timer = heapq.heappop(self._timers)
        if not timer._cancelled:
            self._ready.append(timer)

    def _pick(self) -> asyncio.Handle:
        ready = self._ready
        if len(ready) == 1:
            return ready.popleft()
        index = int(self._choice.random() * len(ready))
        if not self._shuffled:
            process = _process_of(ready[index])
            index = next(at for at, handle in enumerate(ready) if _process_of(handle) is process)
        handle = ready[index]
        del ready[index]
        return handle

    def _may_step(self, process: Process, handle: asyncio.Handle) -> bool:
        if not process.alive:
            return False
        if process.frozen:
            process.parked.append(handle)
            return False
        process.steps += 1
        if process.steps == process.hit_at:
            process.hit(process)
            return self._survived(process, handle)
        return True

    def _survived(self, process: Process, handle: asyncio.Handle) -> bool:
        if process.frozen:
            process.parked.append(handle)
        return process.alive and not process.frozen

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers leave when their time comes."""

    def _write_to_self(self) -> None:
        """Nothing sleeps that would have to be woken."""

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files and sockets here."""


def _process_of(handle: asyncio.Handle) -> Process | None:
    context: Context = handle._context  # type: ignore[attr-defined]  # asyncio's own, as above
    return context.get(PROCESS)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
