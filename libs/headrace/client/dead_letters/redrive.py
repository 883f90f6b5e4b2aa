"""Redriving: letters go out again in batches, each a transaction with the note of what was done."""

import getpass
import socket
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Final

from headrace.client.dead_letters.plan import Planned, Wish, plan
from headrace.client.dead_letters.stale import Newer
from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.disposing import Disposing
from headrace.messaging.errors import Invalid
from headrace.messaging.letter_log import letters_from
from headrace.messaging.letters import Letter
from headrace.messaging.times import timestamp
from headrace.runtime.pipelines import Pipelines
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition

# A transaction holds back those who read its topics, and its messages are in memory here: both want it small.
BATCH_LETTERS: Final = 100
BATCH_BYTES: Final = 4 * 1024 * 1024
# With a rate limit, this part of a second's letters at a time.
_BATCHES_A_SECOND: Final = 4


@dataclass(frozen=True, slots=True)
class Redriven:
    """It is on its way, for good."""

    letter: Letter
    planned: Planned


@dataclass(frozen=True, slots=True)
class Refused:
    """It stays where it is, and why."""

    letter: Letter
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Something was done with it before."""

    letter: Letter
    disposition: DeadLetterDisposition


Outcome = Redriven | Refused | Settled


class Redrive:
    """One command's worth of letters."""

    def __init__(
        self, wish: Wish, pipelines: Pipelines, *, per_second: float | None = None, clock: Clock | None = None
    ) -> None:
        self._wish = wish
        self._pipelines = pipelines
        self._per_second = per_second
        self._clock = clock or SystemClock()
        self._operator = operator()

    async def preview(self, bootstrap: str, chosen: Sequence[Letter]) -> AsyncGenerator[Outcome, None]:
        """What would become of each letter. Publishes nothing and disturbs nobody."""
        newer = await Newer.read(bootstrap, chosen)
        async with aclosing(_content_of(bootstrap, chosen)) as contents:
            async for letter, content in contents:
                yield self._planned(letter, content, newer)

    async def run(self, bootstrap: str, chosen: Sequence[Letter]) -> AsyncGenerator[Outcome, None]:
        """Publish them, and tell of each once that is certain. Oldest first, in the order of their topic."""
        begun, sent = time.monotonic(), 0
        async with AsyncExitStack() as stack:
            disposing = await stack.enter_async_context(Disposing(bootstrap))
            for letter in chosen:
                if (done := disposing.done.get(letter.id)) is not None:
                    yield Settled(letter, done)
            still = [letter for letter in chosen if letter.id not in disposing.done]
            newer = await Newer.read(bootstrap, still)
            contents = await stack.enter_async_context(aclosing(_content_of(bootstrap, still)))
            batch: list[Redriven] = []
            async for letter, content in contents:
                match self._planned(letter, content, newer):
                    case Redriven() as planned:
                        batch.append(planned)
                    case other:
                        yield other
                if self._full(batch):
                    await self._pace(begun, sent)
                    for redriven in await self._publish(disposing, batch):
                        yield redriven
                    sent, batch = sent + len(batch), []
            if batch:
                await self._pace(begun, sent)
                for redriven in await self._publish(disposing, batch):
                    yield redriven

    def _planned(self, letter: Letter, content: DeadLetter | None, newer: Newer) -> Redriven | Refused:
        if content is None:
            return Refused(letter, "it was deleted meanwhile: the retention of its topic has passed")
        if newer.than(content):
            return Refused(letter, "a newer one of its key was published since, which this would undo: purge it")
        try:
            return Redriven(letter, plan(content, self._wish, self._pipelines, now_ms=self._clock.now_ms()))
        except Invalid as exc:
            return Refused(letter, str(exc))

    def _full(self, batch: Sequence[Redriven]) -> bool:
        most = BATCH_LETTERS
        if self._per_second is not None:
            most = max(1, min(most, int(self._per_second / _BATCHES_A_SECOND)))
        return len(batch) >= most or sum(redriven.planned.onward.size for redriven in batch) >= BATCH_BYTES

    async def _pace(self, begun: float, sent: int) -> None:
        if self._per_second is not None:
            await self._clock.sleep(max(0.0, begun + sent / self._per_second - time.monotonic()))

    async def _publish(self, disposing: Disposing, batch: Sequence[Redriven]) -> Sequence[Redriven]:
        at = timestamp(self._clock.now_ms())
        await disposing.dispose(
            [
                (
                    DeadLetterDisposition(
                        letter_id=redriven.letter.id,
                        action=DeadLetterDisposition.REDRIVEN,
                        at=at,
                        operator=self._operator,
                        topic=redriven.planned.onward.topic,
                        repaired=self._wish.repair.changes,
                    ),
                    redriven.planned.onward,
                )
                for redriven in batch
            ]
        )
        return batch


def operator() -> str:
    """Who is at the keyboard."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"unknown@{socket.gethostname()}"


async def _content_of(
    bootstrap: str, chosen: Sequence[Letter]
) -> AsyncGenerator[tuple[Letter, DeadLetter | None], None]:
    """The letters again, now with what they hold: a list of many is kept without. None where it is gone."""
    wanted = {letter.id: letter for letter in chosen}
    async with aclosing(letters_from(bootstrap, offsets=_first(chosen))) as letters:
        async for found, content in letters:
            if (letter := wanted.pop(found.id, None)) is not None:
                yield letter, content
            if not wanted:
                return
    for letter in wanted.values():
        yield letter, None


def _first(chosen: Sequence[Letter]) -> Mapping[int, int]:
    first: dict[int, int] = {}
    for letter in chosen:
        first[letter.partition] = min(letter.offset, first.get(letter.partition, letter.offset))
    return first
