"""The model's process made sick: it has no wire to poison, so it is slowed, stopped and killed by signals."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from tests.chaos.toxics.toxic import Kind

_WORKER: Final = b"services.inference.adapters.engines.worker"
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Halting:
    """Runs and stands still by turns."""

    run_ms: float
    stop_ms: float


@dataclass(frozen=True, slots=True)
class Dying:
    """Is killed, and whatever is started in its place as well, so long after it was seen."""

    after_ms: float


@dataclass(frozen=True, slots=True)
class Hanging:
    """Takes what it is given and says nothing; `dies` in the end instead of going on."""

    dies: bool = False


Illness = Halting | Dying | Hanging

# What comes nearest to each toxic of a wire.
ILLNESSES: Final[Mapping[Kind, tuple[Illness, Illness, Illness]]] = {
    "latency": (Halting(20, 50), Halting(20, 300), Halting(20, 2_000)),
    "bandwidth": (Halting(100, 100), Halting(100, 400), Halting(100, 1_900)),
    "slicer": (Halting(2, 2), Halting(2, 10), Halting(2, 40)),
    "reset": (Dying(1_000), Dying(300), Dying(100)),
    "half-open": (Halting(500, 1_000), Hanging(), Hanging(dies=True)),
    "down": (Dying(50), Dying(10), Dying(0)),
}


class EngineProcess:
    """The process of the one model of an inference service, whoever it is at the moment."""

    def __init__(self, parent: Callable[[], int | None]) -> None:
        self._parent = parent
        self._illness: asyncio.Task[None] | None = None
        self._dies_in_the_end = False

    async def poison(self, illness: Illness) -> None:
        """From now on."""
        self._dies_in_the_end = isinstance(illness, Hanging) and illness.dies
        self._illness = asyncio.create_task(self._suffer(illness), name="illness")

    async def relieve(self) -> None:
        """Let it run."""
        if self._illness is not None:
            self._illness.cancel()
            with suppress(asyncio.CancelledError):
                await self._illness
            self._illness = None
        self._send(signal.SIGKILL if self._dies_in_the_end else signal.SIGCONT)
        self._dies_in_the_end = False

    async def _suffer(self, illness: Illness) -> None:
        while True:
            match illness:
                case Halting(run_ms, stop_ms):
                    self._send(signal.SIGSTOP)
                    await asyncio.sleep(stop_ms / 1000)
                    self._send(signal.SIGCONT)
                    await asyncio.sleep(run_ms / 1000)
                case Dying(after_ms):
                    await asyncio.sleep(after_ms / 1000)
                    self._send(signal.SIGKILL)
                    await asyncio.sleep(_LOOK_S)
                case Hanging():
                    # Again and again: it may be started anew.
                    self._send(signal.SIGSTOP)
                    await asyncio.sleep(_LOOK_S)
                case never:
                    assert_never(never)

    def _send(self, number: signal.Signals) -> None:
        parent = self._parent()
        for pid in _workers(parent) if parent is not None else ():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _workers(parent: int) -> list[int]:
    children = [
        pid for task in Path(f"/proc/{parent}/task").glob("*/children") for pid in _read(task).decode("ascii").split()
    ]
    return [int(pid) for pid in children if _WORKER in _read(Path(f"/proc/{pid}/cmdline"))]


def _read(path: Path) -> bytes:
    """Nothing of a process that has just ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
