"""Of three brokers one dies by SIGKILL, under load, again and again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from time import monotonic
from typing import Final

from headrace.messaging import topics
from tests.chaos.attack import Progress, Report, Size
from tests.chaos.path.brokers import BROKERS, Cluster
from tests.chaos.path.draining import Backlog
from tests.chaos.path.gathering import accepted, gathered, read_held
from tests.chaos.path.judging import generations_repeated, longest_silence_s, missing, repeated, violations
from tests.chaos.path.load import Load
from tests.chaos.path.merging import merged
from tests.chaos.path.stack import Layout, running_path
from tests.chaos.path.submitting import Submitting

PATIENCE_S: Final = 120.0
# How long a broker stays away, and how long all are there before the next one dies.
AWAY_S: Final = 8.0
PEACE_S: Final = 6.0
IN_SYNC_S: Final = 60.0
# Of eleven one is a turn and one its rating.
PER_SECOND: Final = 66.0


@dataclass(slots=True)
class Deaths:
    """Who died, and how long it took until all replicas were in sync again."""

    brokers: list[int] = field(default_factory=list)
    slowest_return_s: float = 0.0


class Brokers:
    """Row 4."""

    number = 4
    title = "3-broker cluster, kill -9 a broker under load, min.insync.replicas=2"
    must_hold = "0 acknowledged messages lost; stall reported"

    def units(self, size: Size) -> Sequence[str]:
        return ("ci",) if size == "ci" else ("part-1", "part-2")

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        number = self.units(size).index(unit)
        return await attack(4 if size == "ci" else 30, seed * 1000 + 400 + number, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(kills: int, seed: int, progress: Progress) -> Report:
    """Load for as long as brokers die; each of them in turn, whichever partitions it leads."""
    # More than can be sent while it lasts: the load stops when the last broker is back.
    seconds = kills * (AWAY_S + PEACE_S + IN_SYNC_S)
    load = Load(turns=int(seconds * PER_SECOND / 11), reviews=int(seconds * PER_SECOND * 9 / 11), seed=seed)
    async with running_path(Layout(brokers=BROKERS)) as path:
        assert isinstance(path.broker, Cluster)
        submitting, deaths, over = Submitting(path.bootstrap), Deaths(), asyncio.Event()
        sending = asyncio.create_task(
            submitting.send(takewhile(lambda _: not over.is_set(), load.all()), PER_SECOND), name="sending"
        )
        await _kill(path.broker, kills, deaths, progress)
        over.set()
        await sending
        stuck = await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
        taken = accepted(load, submitting)
        seen = await gathered(path, taken.conversations)
        await asyncio.to_thread(read_held, path.bootstrap, (topics.PROMPTS, topics.REVIEWS, topics.FEEDBACK), seen)
        found = [
            *submitting.complaints,
            *missing(submitting.acknowledged, seen.held),
            *stuck,
            *violations(taken, seen),
            *path.unasked(),
        ]
        logs = path.save_logs() if found else ""
    figures: dict[str, float | int | str] = {
        "brokers killed": len(deaths.brokers),
        "messages acknowledged": len(submitting.acknowledged),
        "longest stall of an acknowledgement, s": round(submitting.slowest_seconds, 2),
        "longest silence of the answers, s": round(longest_silence_s(seen.answered_ms), 2),
        "longest return of a broker into sync, s": round(deaths.slowest_return_s, 1),
        "finals again": repeated(seen.finals),
        "classes again": repeated(seen.classes),
        "generations cut short and repeated": generations_repeated(seen.journal),
        **({"logs": logs} if logs else {}),
    }
    done = f"{len(deaths.brokers)} brokers killed, {len(submitting.acknowledged):,} messages (seed {seed})"
    return Report(done, figures, tuple(f"{violation} [seed {seed}]" for violation in found))


async def _kill(cluster: Cluster, kills: int, deaths: Deaths, progress: Progress) -> None:
    for number in range(kills):
        progress(number, kills)
        await asyncio.sleep(PEACE_S)
        broker = number % BROKERS
        cluster.kill(broker)
        deaths.brokers.append(broker)
        await asyncio.sleep(AWAY_S)
        began = monotonic()
        cluster.revive(broker)
        await cluster.until_ready(broker)
        # Another death before that would take a second replica away: what an operator prevents.
        await cluster.until_in_sync(IN_SYNC_S)
        deaths.slowest_return_s = max(deaths.slowest_return_s, monotonic() - began)
    progress(kills, kills, "waiting until all is processed")


ATTACK: Final = Brokers()
