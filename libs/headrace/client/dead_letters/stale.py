"""Letters whose time has passed: on a topic that keeps the last of each key, an older one would undo a newer."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Final

from headrace.messaging import headers, topics
from headrace.messaging.letter_log import read_letters, up_to_now
from headrace.messaging.letters import Letter
from headrace.messaging.records import Received
from headrace.v1.dead_letters_pb2 import DeadLetter

# Where the last of a key is its state.
_STATES: Final = frozenset({topics.KNOWLEDGE})


class Newer:
    """The last position of each key behind the letters of a state topic."""

    def __init__(self, last: Mapping[tuple[str, int, bytes], int]) -> None:
        self._last = last

    @classmethod
    async def read(cls, bootstrap: str, chosen: Sequence[Letter]) -> "Newer":
        """Read what was published after the letters that are to go back; nothing, if none is of a state topic."""
        last: dict[tuple[str, int, bytes], int] = {}
        behind: dict[str, dict[int, int]] = {}
        for letter in chosen:
            if letter.origin_topic in _STATES:
                firsts = behind.setdefault(letter.origin_topic, {})
                first = letter.origin_offset + 1
                firsts[letter.origin_partition] = min(first, firsts.get(letter.origin_partition, first))
        if not behind:
            return cls(last)
        originals = {letter.id: letter.origin_offset for letter in await read_letters(bootstrap)}
        for topic, offsets in behind.items():
            async with aclosing(up_to_now(bootstrap, topic, offsets=offsets)) as records:
                async for record in records:
                    place = (topic, record.partition, record.key or b"")
                    last[place] = max(position(record, originals), last.get(place, -1))
        return cls(last)

    def than(self, letter: DeadLetter) -> bool:
        """Whether something newer of the letter's key stands on its topic."""
        origin = letter.origin
        return self._last.get((origin.topic, origin.partition, letter.key), -1) > origin.offset


def position(record: Received, originals: Mapping[str, int]) -> int:
    """Where the record stood first: one that was redriven is as old as its letter."""
    return originals.get(record.headers.get(headers.REDRIVEN_FROM, ""), record.offset)
