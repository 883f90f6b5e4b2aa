"""Work that can be cut short: by whoever asked, by the output gate, by the deadline, by a later attempt."""

import asyncio
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext
from services.inference.handlers.claims import Hold


class Ended(Enum):
    """How a piece of work ended; of several at once the first counts."""

    DONE = auto()
    # Somebody else holds the turn now; what we have is void.
    LOST = auto()
    CANCELLED = auto()
    # The output gate shows no more of this attempt.
    STOPPED = auto()
    EXPIRED = auto()


async def interruptible(work: Coroutine[Any, Any, None], context: StageContext, hold: Hold, clock: Clock) -> Ended:
    """Run the work until it is done or must stop; when this returns it has cleaned up. Its errors are raised.

    Work that must stop before it has begun never begins.
    """
    if early := _ended(context, hold, clock):
        work.close()
        return early
    working = asyncio.ensure_future(work)
    stops = [
        asyncio.ensure_future(hold.lost.wait()),
        asyncio.ensure_future(context.cancellation.wait()),
        asyncio.ensure_future(context.cancellation.wait_stopped(hold.attempt)),
    ]
    left_s = max(0, context.deadline_ms - clock.now_ms()) / 1000 if context.deadline_ms else None
    try:
        done, _ = await asyncio.wait({working, *stops}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            await working
            return Ended.DONE
        return _ended(context, hold, clock) or Ended.EXPIRED
    finally:
        for task in (working, *stops):
            task.cancel()
        await asyncio.gather(working, *stops, return_exceptions=True)


def _ended(context: StageContext, hold: Hold, clock: Clock) -> Ended | None:
    if hold.lost.is_set():
        return Ended.LOST
    if context.cancellation.requested:
        return Ended.CANCELLED
    if context.cancellation.stopped(hold.attempt):
        return Ended.STOPPED
    return Ended.EXPIRED if 0 < context.deadline_ms <= clock.now_ms() else None
