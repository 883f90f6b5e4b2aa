"""SIGSTOP of a process beyond its session, and SIGCONT: it wakes up in the middle of work that others have done."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import suppress

from tests.chaos.path.kept import KeptService


class Pausing:
    """Pauses one process after the other, and counts."""

    def __init__(self, services: Sequence[KeptService], *, seed: int, pause_s: float, every_s: float) -> None:
        self._services = services
        self._random = random.Random(f"pausing {seed}")  # noqa: S311 - a schedule to be replayed
        self._pause_s = pause_s
        self._every_s = every_s
        self.total = 0

    async def run(self, pauses: int) -> None:
        """Pause so many times; a process that is killed meanwhile does not wake up."""
        while self.total < pauses:
            await asyncio.sleep(self._every_s * self._random.uniform(0.5, 1.5))
            pid = self._random.choice(self._services).pid
            if pid is None:
                continue
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                try:
                    await asyncio.sleep(self._pause_s)
                finally:
                    os.kill(pid, signal.SIGCONT)
                self.total += 1
