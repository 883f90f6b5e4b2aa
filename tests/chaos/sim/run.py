"""One schedule: everything that happens in it follows from its seed."""

import asyncio
import random
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

from headrace.messaging.errors import Retryable
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.host import Host
from headrace.runtime.service import Service
from tests.chaos.sim.broker import Broker
from tests.chaos.sim.chance import chance
from tests.chaos.sim.log import SimLog
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.member import SimTransport
from tests.chaos.sim.network import Network
from tests.chaos.sim.process import Process

EPOCH_MS: Final = 1_800_000_000_000


class SimClock:
    """The loop's own time, as epoch milliseconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ms(self) -> int:
        return EPOCH_MS + int(self._loop.time() * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Run:
    """The world of one schedule: a loop, a broker, processes, and what was seen."""

    def __init__(
        self, seed: int, *, partitions: int = 2, gaps: float = 0.0, told: Callable[[str], None] | None = None
    ) -> None:
        self.seed = seed
        self.choice = chance(seed, "plan")
        self.loop = VirtualLoop(chance(seed, "order"), shuffled=self.choice.random() < 0.75)
        self.clock = SimClock(self.loop)
        self.network = Network(self.loop, chance(seed, "network"))
        log = SimLog(partitions, self.clock, chance(seed, "log"), gaps=gaps)
        self.broker = Broker(self.loop, log, self.network, chance(seed, "broker"), self.note)
        self.processes: list[Process] = []
        self.hosts: dict[Process, Host] = {}
        self.transports: dict[Process, SimTransport] = {}
        self.cancellations: dict[Process, Cancellations] = {}
        self._stops: dict[Process, asyncio.Event] = {}
        self.violations: list[str] = []
        self.figures: Counter[str] = Counter(schedules=1)
        # Topics of a service of which the effects and the offset of a record are committed in one transaction.
        self.exactly_once: Callable[[Service], Callable[[str], bool]] = lambda _service: lambda _topic: False
        self.after_death: Callable[[Process], None] = lambda _process: None
        self.over = False
        self._told = told
        self.loop.set_exception_handler(self._unhandled)

    def note(self, what: str, detail: str) -> None:
        """Keep an event: in the digest always, in words if somebody listens."""
        self.loop.note(zlib.crc32(f"{what} {detail}".encode()))
        if self._told:
            self._told(f"{self.loop.time():10.3f} {what:<12} {detail}")

    def violation(self, sentence: str) -> None:
        """A promise was broken. What tasks say while they are taken apart in the end breaks none."""
        if self.over:
            return
        self.note("VIOLATION", sentence)
        if len(self.violations) < 20 and sentence not in self.violations:
            self.violations.append(sentence)

    def start(self, build: Callable[[Process], Service], name: str, *, instance: str = "") -> Process:
        """Start a process that runs a service."""
        process = Process(name, len(self.processes) + 1)
        self.processes.append(process)
        self.note("start", f"{name} as process {process.number} {instance}")
        stop = self._stops[process] = asyncio.Event()
        transport = self.transports[process] = SimTransport(self.broker, instance=instance)
        self._spawn(process, self._serve(process, build, transport, stop))
        return process

    def terminate(self, process: Process) -> None:
        """SIGTERM: drain and leave."""
        if process.alive and not process.frozen:
            self.note("terminate", f"process {process.number}")
            self.figures["drains"] += 1
            self._stops[process].set()

    def serving(self, process: Process) -> bool:
        """Whether it is alive and has not been asked to stop."""
        return process.alive and not self._stops[process].is_set()

    def kill(self, process: Process) -> None:
        """SIGKILL, now."""
        if process.alive:
            self.note("kill", f"process {process.number} at its step {process.steps}")
            process.alive = False
            self.figures["kills"] += 1
            self._silent(process)
            self.after_death(process)

    def freeze(self, process: Process, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if process.alive and not process.frozen:
            self.note("freeze", f"process {process.number} for {seconds:.1f} s")
            self.figures["pauses"] += 1
            process.frozen, process.frozen_s = True, self.loop.time()
            self._silent(process)
            self.loop.at(seconds, self._thaw, process)

    def thawed(self) -> None:
        """Let every frozen process go on."""
        for process in self.processes:
            self._thaw(process)

    def in_world(self, act: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Run something that belongs to no process."""
        return self.loop.create_task(act())

    def _thaw(self, process: Process) -> None:
        if process.frozen:
            self.note("thaw", f"process {process.number}")
            process.thawed_s = self.loop.time()
            self.loop.thaw(process)

    def _silent(self, process: Process) -> None:
        for group in self.broker.groups.values():
            group.silent(process)

    def _spawn(self, process: Process, main: Coroutine[Any, Any, None]) -> None:
        self.loop.create_task(main, context=process.context())

    async def _serve(
        self, process: Process, build: Callable[[Process], Service], transport: SimTransport, stop: asyncio.Event
    ) -> None:
        cancellations = self.cancellations[process] = Cancellations()
        try:
            service = build(process)
            transport.exactly_once = self.exactly_once(service)
            async with Host(service, transport, clock=self.clock, cancellations=cancellations) as host:
                self.hosts[process] = host
                asked = asyncio.create_task(stop.wait())
                waiting: set[asyncio.Future[Any]] = {asked, host.failed}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if host.failed.done():
                    self.violation(f"{process.name} stopped by itself: {host.failed.result()!r}")
        except Exception as exc:  # noqa: BLE001 - a process that ends by an error is what is looked for
            self._ended_by(process, exc)
        finally:
            self.hosts.pop(process, None)
            if process.alive:
                self.note("ended", f"process {process.number}")
                process.alive = False
                if not self.over:
                    self._silent(process)

    def _ended_by(self, process: Process, error: Exception) -> None:
        # A store that does not answer while a process starts ends it, and the supervisor starts it again.
        if isinstance(error, Retryable) and self.network.unanswered and not self.over:
            self.note("gave up", f"process {process.number}: {error}")
            self.figures["starts_repeated"] += 1
            self.after_death(process)
        else:
            self.violation(f"{process.name} ended by {type(error).__name__}: {error}")

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.violation(f"unhandled in the loop: {context.get('message')} {type(error).__name__}: {error}")


@contextmanager
def deterministic(run: Run) -> Iterator[None]:
    """Clocks, chance and identities by the seed while the schedule runs."""
    state, kept = random.getstate(), (time.time, time.time_ns, time.monotonic, uuid.uuid4)
    identities = chance(run.seed, "identities")
    random.seed(run.seed)
    time.time = lambda: EPOCH_MS / 1000 + run.loop.time()
    time.time_ns = lambda: EPOCH_MS * 1_000_000 + int(run.loop.time() * 1_000_000_000)
    time.monotonic = run.loop.time
    uuid.uuid4 = lambda: uuid.UUID(int=identities.getrandbits(128), version=4)
    try:
        yield
    finally:
        time.time, time.time_ns, time.monotonic, uuid.uuid4 = kept
        random.setstate(state)
