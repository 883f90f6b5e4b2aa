"""Waiting until everything is worked off, and putting the clock forward over whatever only rests."""

import asyncio
from time import monotonic
from typing import Final

from headrace.messaging.records import TopicPartition
from tests.chaos.mutants.hosted import Hosted
from tests.chaos.mutants.leaping import leaping_loop
from tests.chaos.mutants.mutant import TAG
from tests.chaos.mutants.readers import Gateway
from tests.chaos.mutants.strict_log import uncommitted

# Retries take six minutes; a stream that nobody ends is held for an hour and a minute at most. Less than the deadlines
# of valid messages, which must not pass by a leap.
BUDGET_S: Final = 2 * 3600.0
# Without any change for this long, what is left only waits for a time to come. The steps towards it grow; before a long
# one, whatever may be slow on a busy machine gets its time: a judgement of long texts, an engine that starts.
_STILL_S: Final = 0.4
_FIRST_STEP_S: Final = 8.0
_GROWTH: Final = 4.0
_SHORT_STEP_S: Final = 600.0
_PATIENCE_S: Final = 5.0
# Stuck is only what has not moved for this long in real time as well.
_STUCK_S: Final = 60.0


async def settled(services: Hosted, gateway: Gateway, what: str) -> tuple[list[str], float]:
    """What keeps it from being worked off, in sentences, and how far the clock was put forward."""
    loop = leaping_loop()
    began_s = loop.leapt_s
    before: object = None
    changed = leapt = monotonic()
    step = _FIRST_STEP_S
    while True:
        if failed := services.failed():
            return [f"{what}: {each}" for each in failed], loop.leapt_s - began_s
        left, behind = uncommitted(services.log), gateway.behind()
        if not left and not behind:
            return [], loop.leapt_s - began_s
        now = (left, behind)
        if now != before:
            before, step = now, _FIRST_STEP_S
            changed = leapt = monotonic()
        elif loop.leapt_s - began_s > BUDGET_S:
            if monotonic() - changed > _STUCK_S:
                stuck = [_told(services, group, place, count) for (group, place), count in left.items()]
                return [f"{what}: {each}" for each in (*stuck, *behind)], loop.leapt_s - began_s
        elif monotonic() - leapt > (_STILL_S if step < _SHORT_STEP_S else _PATIENCE_S):
            loop.leap(step)
            step *= _GROWTH
            leapt = monotonic()
        await asyncio.sleep(0.02)


def _told(services: Hosted, group: str, place: TopicPartition, count: int) -> str:
    first = services.log.records[place][services.log.committed.get((group, place), 0)]
    return (
        f"{group} stands still in {place.topic}/{place.partition}: {count} not committed after"
        f" {BUDGET_S / 3600:.0f} hours, the first of them mutant {first.headers.get(TAG, 'unnamed')}"
    )
