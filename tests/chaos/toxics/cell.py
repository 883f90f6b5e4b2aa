"""One cell of the table: calm, sick, well again, with people asking all the time."""

import asyncio
from dataclasses import dataclass
from itertools import count
from statistics import median
from time import monotonic
from typing import Final

from headrace.messaging.errors import Fatal
from tests.chaos.toxics.asking import Question, Told, ask
from tests.chaos.toxics.judging import RECOVERY_S, Cell, Seen, is_normal
from tests.chaos.toxics.sick_path import SickPath
from tests.chaos.toxics.toxic import STRENGTHS, Down

# So many good answers in a row after relief, and all is well.
WELL: Final = 4
# How long a cell is watched that does not get well.
WATCHED_S: Final = 3 * RECOVERY_S
# So many times what a calm path takes is normal still.
_NORMAL: Final = 4.0
# One question at a time fills the path so much and no more, however slow the machine is.
_OVERLAP: Final = 2.0
_DEADLINE: Final = 2.0
_START_S: Final = 60.0
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a dependency is sick, how often somebody asks, how long a turn may take, and what is normal."""

    sick_s: float
    every_s: float
    deadline_s: float
    normal_s: float

    def on(self, calm_s: float) -> "Pace":
        """The same on a machine that takes so long for an answer when all is well."""
        normal_s = max(self.normal_s, _NORMAL * calm_s)
        return Pace(
            self.sick_s, max(self.every_s, calm_s / _OVERLAP), max(self.deadline_s, _DEADLINE * normal_s), normal_s
        )


class Ward:
    """Runs cells on one path, one after the other; each question has a number of its own."""

    def __init__(self, path: SickPath, pace: Pace, seed: int) -> None:
        self._path = path
        self._usual = pace
        self._pace = pace
        self._seed = seed
        self._numbers = count()

    async def run(self, cell: Cell) -> Seen:
        """Make it sick, relieve it, and watch until all is well or the time is up."""
        # Anew for each: what the machine gives changes with whatever else runs on it.
        self._pace = self._usual.on(await self._calm_s())
        sick_s = self._sick_s(cell)
        # Only there the time of an answer is compared with that on a calm day.
        calm = await asyncio.gather(*await self._keep_asking(sick_s if cell.dependency == "collector" else 0))
        patient = self._path.patients[cell.dependency]
        await patient.poison(cell.kind, cell.strength)
        try:
            asking = await self._keep_asking(sick_s)
        finally:
            await patient.relieve()
        relieved_at = monotonic()
        after = await self._until_well(relieved_at)
        sick = await asyncio.gather(*asking)
        again = [await ask(self._path.gateway, told.question) for told in sick if not told.final]
        return Seen(calm, sick, after, again, relieved_at, self._pace.normal_s)

    async def _calm_s(self) -> float:
        """What an answer takes when all is well; `Fatal` where there is none to be had."""
        until = monotonic() + _START_S
        well: list[float] = []
        while len(well) < _WARM_UP:
            told = await self._ask(_START_S)
            well = [*well, told.seconds] if told.answered and told.sourced else []
            if monotonic() > until:
                raise Fatal("no answer with sources from a path that nothing ails: see the logs of its services")
            await asyncio.sleep(0 if told.answered else self._pace.every_s)
        return median(well)

    async def _keep_asking(self, seconds: float) -> list[asyncio.Task[Told]]:
        asking: list[asyncio.Task[Told]] = []
        until = monotonic() + seconds
        while monotonic() < until:
            asking.append(asyncio.create_task(self._ask()))
            await asyncio.sleep(self._pace.every_s)
        return asking

    async def _until_well(self, relieved_at: float) -> list[Told]:
        asking: list[asyncio.Task[Told]] = []

        def ill() -> bool:
            # Those who still wait are judged later: what they are told may undo it.
            told = [each.result() for each in asking if each.done()]
            well = [is_normal(each, self._pace.normal_s) for each in told[-WELL:]]
            return well != [True] * WELL and monotonic() - relieved_at < WATCHED_S

        while ill():
            asking.append(asyncio.create_task(self._ask()))
            await asyncio.sleep(self._pace.every_s)
        return await asyncio.gather(*asking)

    async def _ask(self, deadline_s: float = 0) -> Told:
        question = Question(self._seed, next(self._numbers), deadline_s or self._pace.deadline_s)
        return await ask(self._path.gateway, question)

    def _sick_s(self, cell: Cell) -> float:
        toxic = STRENGTHS[cell.kind][cell.strength]
        own = toxic.seconds if isinstance(toxic, Down) else None
        return own or self._pace.sick_s
