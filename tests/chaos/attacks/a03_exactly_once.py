"""Reviews by transactions: stages and brokers die, and workers are paused beyond their session."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from headrace.messaging import topics
from tests.chaos.attack import Progress, Report, Size
from tests.chaos.path.brokers import BROKERS, Cluster
from tests.chaos.path.draining import Backlog
from tests.chaos.path.gathering import read_topics
from tests.chaos.path.killing import Killing
from tests.chaos.path.load import Load
from tests.chaos.path.merging import merged
from tests.chaos.path.observed import Observed
from tests.chaos.path.pausing import Pausing
from tests.chaos.path.stack import Layout, running_path
from tests.chaos.path.submitting import Submitting

# The way of a review, two of each, so that somebody is there to take over from whoever is paused.
STAGES: Final = ("preprocessing", "safety", "inference", "postprocessing")
# Longer than the session of ten seconds.
PAUSE_S: Final = 14.0
PATIENCE_S: Final = 120.0
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """What one unit does."""

    reviews: int
    seconds: float
    kills: int
    pauses: int
    broker_kills: int


CI: Final = Scale(reviews=4_000, seconds=100, kills=8, pauses=4, broker_kills=1)
PART: Final = Scale(reviews=40_000, seconds=1_200, kills=100, pauses=50, broker_kills=10)
PARTS: Final = 2


class ExactlyOnce:
    """Row 3."""

    number = 3
    title = "exactly-once reviews under kills of stages and brokers, and pauses beyond the session"
    must_hold = "each id exactly once for a read-committed consumer"

    def units(self, size: Size) -> Sequence[str]:
        return ("ci",) if size == "ci" else tuple(f"part-{number}" for number in range(1, PARTS + 1))

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(CI if size == "ci" else PART, seed * 1000 + 300 + self.units(size).index(unit), progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(scale: Scale, seed: int, progress: Progress) -> Report:
    """Load, kills and pauses side by side, then peace, then the judgement."""
    load = Load(0, scale.reviews, seed)
    async with running_path(Layout(services=dict.fromkeys(STAGES, 2), brokers=BROKERS)) as path:
        submitting = Submitting(path.bootstrap)
        killing = Killing(path.services, seed=seed, every_s=scale.seconds / scale.kills)
        # The pauses last long themselves, one after the other.
        pausing = Pausing(
            path.services, seed=seed, pause_s=PAUSE_S, every_s=max(1.0, scale.seconds / scale.pauses - PAUSE_S)
        )
        assert isinstance(path.broker, Cluster)
        began = monotonic()
        attacks = [
            asyncio.create_task(submitting.send(load.all(), load.events / scale.seconds)),
            asyncio.create_task(killing.run(scale.kills)),
            asyncio.create_task(pausing.run(scale.pauses)),
            asyncio.create_task(_kill_brokers(path.broker, scale, seed)),
        ]
        while not all(task.done() for task in attacks):
            progress(killing.total, scale.kills, f"{pausing.total} pauses, {len(submitting.acknowledged):,} taken")
            await asyncio.sleep(1)
        await asyncio.gather(*attacks)
        progress(killing.total, scale.kills, "waiting until all is processed")
        await asyncio.gather(*(service.until_ready() for service in path.services))
        stuck = await Backlog(path.bootstrap, [f"headrace.{stage}" for stage in STAGES]).empty(patience_s=PATIENCE_S)
        whole_s = monotonic() - began
        seen = Observed()
        await asyncio.to_thread(read_topics, path.bootstrap, seen)
        found = [*submitting.complaints, *stuck, *judged(frozenset(submitting.acknowledged), seen)]
        logs = path.save_logs() if found else ""
        unasked = len(path.unasked())
    figures: dict[str, float | int | str] = {
        "reviews": scale.reviews,
        "kills of stages": killing.total,
        "kills of brokers": scale.broker_kills,
        f"pauses of {PAUSE_S:.0f} s": pausing.total,
        "services that started over by themselves": unasked,
        "seconds in all": round(whole_s, 1),
        **({"logs": logs} if logs else {}),
    }
    done = (
        f"{scale.reviews:,} reviews, {killing.total} + {scale.broker_kills} kills, {pausing.total} pauses (seed {seed})"
    )
    return Report(done, figures, tuple(f"{violation} [seed {seed}]" for violation in found))


def judged(accepted: frozenset[str], seen: Observed) -> list[str]:
    """A sentence for each way in which a read-committed consumer did not see each id exactly once, with its class."""
    again = sorted(review for review, classes in seen.classes.items() if len(classes) > 1)
    lost = sorted(accepted - seen.classes.keys())
    failed = sorted(review for review, classes in seen.classes.items() if not classes[0].label)
    return [
        *_told(f"on {topics.REVIEWS_CLASSIFIED} more than once", again),
        *_told("accepted and without a class", lost),
        *_told("with an error instead of a class", failed),
        *_told("dead letters", sorted(seen.dead_letters)),
    ]


async def _kill_brokers(cluster: Cluster, scale: Scale, seed: int) -> None:
    chosen = random.Random(f"brokers {seed}")  # noqa: S311 - a schedule to be replayed
    for _ in range(scale.broker_kills):
        await asyncio.sleep(scale.seconds / (scale.broker_kills + 1))
        number = chosen.randrange(BROKERS)
        cluster.kill(number)
        await asyncio.sleep(3)
        cluster.revive(number)
        await cluster.until_ready(number)


def _told(what: str, ids: list[str]) -> list[str]:
    if not ids:
        return []
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return [f"{len(ids)} {what}: {', '.join(ids[:_NAMED])}{more}"]


ATTACK: Final = ExactlyOnce()
