"""Work that can be cut short: by whoever asked, by the deadline, by a later attempt."""

import asyncio
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any

from headrace.messaging.clock import Clock
from headrace.messaging.contract import StageContext


class Ended(Enum):
    """How a piece of work ended."""

    DONE = auto()
    CANCELLED = auto()
    EXPIRED = auto()
    # Somebody else holds the turn now; what we have is void.
    LOST = auto()


async def interruptible(
    work: Coroutine[Any, Any, None], context: StageContext, lost: asyncio.Event, clock: Clock
) -> Ended:
    """Run the work until it is done or must stop; when this returns it has cleaned up. Its errors are raised."""
    working = asyncio.ensure_future(work)
    cancelled = asyncio.ensure_future(context.cancellation.wait())
    overtaken = asyncio.ensure_future(lost.wait())
    left_s = max(0, context.deadline_ms - clock.now_ms()) / 1000 if context.deadline_ms else None
    try:
        waiting = {working, cancelled, overtaken}
        done, _ = await asyncio.wait(waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            await working
            return Ended.DONE
        if overtaken in done:
            return Ended.LOST
        return Ended.CANCELLED if cancelled in done else Ended.EXPIRED
    finally:
        for task in (working, cancelled, overtaken):
            task.cancel()
        await asyncio.gather(working, cancelled, overtaken, return_exceptions=True)
