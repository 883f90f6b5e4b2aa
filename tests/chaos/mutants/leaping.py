"""A real event loop whose clock can be put forward: what rests for minutes or hours need not be waited for."""

import asyncio
import time


class LeapingLoop(asyncio.SelectorEventLoop):
    """Time passes as it does, and on top of that by leaps."""

    leapt_s = 0.0

    def time(self) -> float:
        return super().time() + self.leapt_s

    def leap(self, seconds: float) -> None:
        """Every timer that would have come due within these seconds is due now."""
        self.leapt_s += seconds


class LeapingClock:
    """The services' clock, which leaps with the loop."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + int(1000 * leaping_loop().leapt_s)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def leaping_loop() -> LeapingLoop:
    """The running loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, LeapingLoop):
        raise TypeError("time can only leap on a loop of its own: run by `asyncio.Runner(loop_factory=LeapingLoop)`")
    return loop
