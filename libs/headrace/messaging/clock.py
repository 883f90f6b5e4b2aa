"""Time, as something that can be replaced."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Epoch milliseconds and pauses."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Pause without holding the event loop."""
        await asyncio.sleep(seconds)
