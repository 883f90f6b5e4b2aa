"""Purging: letters that nobody will work are marked, and deleted where nothing open stands before them."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from headrace.client.dead_letters.redrive import operator
from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.disposing import Disposing
from headrace.messaging.letter_log import delete_before, read_letters
from headrace.messaging.letters import Letter
from headrace.messaging.times import timestamp
from headrace.v1.dead_letters_pb2 import DeadLetterDisposition

_BATCH: Final = 500


class Purge:
    """One command's worth of letters. `deleted` counts those that are gone from the log when it is over."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._operator = operator()
        self.deleted = 0

    async def run(self, bootstrap: str, chosen: Sequence[Letter]) -> AsyncGenerator[Sequence[Letter], None]:
        """Mark them, a batch at a time, then delete what can be; yields the marked."""
        async with Disposing(bootstrap) as disposing:
            still = iter([letter for letter in chosen if letter.id not in disposing.done])
            while batch := list(islice(still, _BATCH)):
                await disposing.dispose([(self._purged(letter), None) for letter in batch])
                yield batch
            letters = await read_letters(bootstrap)
            if until := deletable(letters, disposing.done):
                await delete_before(bootstrap, until)
                self.deleted = sum(letter.offset < until.get(letter.partition, 0) for letter in letters)

    def _purged(self, letter: Letter) -> DeadLetterDisposition:
        at = timestamp(self._clock.now_ms())
        return DeadLetterDisposition(
            letter_id=letter.id, action=DeadLetterDisposition.PURGED, at=at, operator=self._operator
        )


def deletable(letters: Iterable[Letter], done: Mapping[str, DeadLetterDisposition]) -> dict[int, int]:
    """For each partition, the offset before which every letter was disposed of; Kafka deletes from the front only."""
    past: dict[int, int] = {}
    stopped: set[int] = set()
    for letter in sorted(letters, key=lambda letter: (letter.partition, letter.offset)):
        if letter.id not in done:
            stopped.add(letter.partition)
        if letter.partition not in stopped:
            past[letter.partition] = letter.offset + 1
    return past
