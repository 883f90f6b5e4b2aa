"""kill -9 of a random service every few seconds."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

from tests.chaos.path.kept import KeptService


class Killing:
    """Kills until it is told to stop, and counts whom."""

    def __init__(self, services: Sequence[KeptService], *, seed: int, every_s: float) -> None:
        self._services = services
        self._random = random.Random(seed)  # noqa: S311 - a schedule to be replayed
        self._every_s = every_s
        self.kills: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many died so far."""
        return self.kills.total()

    async def run(self, kills: int) -> None:
        """Kill so many, evenly jittered around the interval; a process that is just being started counts as well."""
        while self.total < kills:
            await asyncio.sleep(self._every_s * self._random.uniform(0.5, 1.5))
            victim = self._random.choice(self._services)
            if victim.kill():
                self.kills[victim.name] += 1
