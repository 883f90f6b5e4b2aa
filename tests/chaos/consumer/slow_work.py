"""A service that does nothing but slow work, for attacks on the consumer itself: a pause, then one message onwards."""

import asyncio
import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final
from unittest.mock import patch

from headrace.messaging.contract import Outgoing, StageContext
from headrace.messaging.errors import Retryable
from headrace.runtime import run as running
from headrace.runtime.service import EventStage, Service
from headrace.runtime.settings import ServiceSettings
from headrace.v1.feedback_pb2 import FeedbackSubmitted

NAME: Final = "work"
WORK: Final = "chaos.work.v1"
DONE: Final = "chaos.work.done.v1"
# Set: what a message leads to and its offset are one transaction.
EXACTLY_ONCE: Final = "HEADRACE_CHAOS_EXACTLY_ONCE"
CONCURRENCY: Final = 8
SHORTEST_S, LONGEST_S = 0.2, 0.5
# Every so many messages one fails in a way that passes.
FAILING_EVERY: Final = 50


def seconds_for(name: str) -> float:
    """How long the work on a message takes: the same each time."""
    return SHORTEST_S + (LONGEST_S - SHORTEST_S) * (zlib.crc32(name.encode()) % 1000) / 1000


def fails_first(name: str) -> bool:
    """Whether the first try fails."""
    return int(name.rpartition(".")[2]) % FAILING_EVERY == FAILING_EVERY - 1


class SlowWork:
    """The handler of one process."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    async def work(self, message: FeedbackSubmitted, context: StageContext) -> Sequence[Outgoing]:
        name = message.feedback_id
        if fails_first(name) and name not in self._failed:
            self._failed.add(name)
            raise Retryable("a dependency does not answer")
        await asyncio.sleep(seconds_for(name))
        return (Outgoing(DONE, context.key, message),)


def service() -> Service:
    """One stage."""
    settings = ServiceSettings(concurrency=CONCURRENCY)
    return Service(NAME, settings, (EventStage(NAME, WORK, FeedbackSubmitted, SlowWork().work),))


def _everything(*_asked: object) -> Callable[[str], bool]:
    return lambda _topic: True


if __name__ == "__main__":
    # It is pipelines that ask for transactions, and this service is in none.
    wanted = patch.object(running, "transactional", _everything) if EXACTLY_ONCE in os.environ else nullcontext()
    with wanted:
        running.run(service())
