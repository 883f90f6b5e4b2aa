"""The reply topics on Kafka, read by partition."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Final

from headrace.messaging import topics
from headrace.messaging.admin import broker_answers
from headrace.messaging.errors import Fatal
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.tail import Started, end_offsets, follow, offsets_at, partitions_of
from services.gateway.adapters.wire import content_of
from services.gateway.domain.places import Offsets, Place
from services.gateway.ports import Reply

# How far back a turn is searched when nobody knows where it lies.
SEARCH_BACK_SECONDS: Final = 900


class KafkaReplyTail:
    """Reads reply partitions of a broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def reachable(self) -> bool:
        """Whether the broker answers a client that comes anew."""
        return await broker_answers(self._bootstrap)

    async def partitions(self) -> int:
        """How many partitions both topics have; `Fatal` where they are missing."""
        found = [
            len(await partitions_of(self._bootstrap, topic)) for topic in (topics.RESPONSE_DELTAS, topics.RESPONSES)
        ]
        if not min(found):
            raise Fatal(f"{topics.RESPONSE_DELTAS} or {topics.RESPONSES} does not exist: create the topics first")
        return min(found)

    async def follow(
        self, partition: int, start: Offsets | None, started: Callable[[Offsets], None]
    ) -> AsyncGenerator[Reply]:
        """Read both topics of a partition for ever."""
        places = _places(partition)
        begin = dict(zip(places, (start.deltas, start.responses) if start else (None, None), strict=True))
        positions: dict[TopicPartition, int] = {}

        def note(fixed: Mapping[TopicPartition, int]) -> None:
            positions.update(fixed)
            started(_offsets(positions, partition))

        async with _following(self._bootstrap, begin, started=_Noting(note)) as records:
            async for record in records:
                positions[record.home] = record.offset + 1
                turn_id, content = content_of(record)
                yield Reply(turn_id, content, _offsets(positions, partition))

    async def find(self, turn_id: str) -> Place | None:
        """Read all replies of the last quarter of an hour up to now, until one is of this turn."""
        count = await self.partitions()
        places = [place for partition in range(count) for place in _places(partition)]
        since = await offsets_at(self._bootstrap, places, int((time.time() - SEARCH_BACK_SECONDS) * 1000))
        until = await end_offsets(self._bootstrap, places)
        async with _following(self._bootstrap, since, until) as records:
            async for record in records:
                if content_of(record)[0] == turn_id:
                    return Place(record.partition, _offsets(since, record.partition))
        return None


def _following(
    bootstrap: str,
    start: Mapping[TopicPartition, int | None],
    stop_at: Mapping[TopicPartition, int] | None = None,
    *,
    started: Started | None = None,
) -> "aclosing[AsyncGenerator[Received, None]]":
    # Closed on the way out: the consumer must not wait for the garbage collector.
    return aclosing(follow(bootstrap, start, stop_at, started=started))


class _Noting(Started):
    """Passes the positions on at once: the first record may come before anyone who waits is woken."""

    def __init__(self, note: Callable[[Mapping[TopicPartition, int]], None]) -> None:
        super().__init__()
        self._note = note

    def __call__(self, positions: Mapping[TopicPartition, int]) -> None:
        super().__call__(positions)
        self._note(positions)


def _places(partition: int) -> tuple[TopicPartition, TopicPartition]:
    return TopicPartition(topics.RESPONSE_DELTAS, partition), TopicPartition(topics.RESPONSES, partition)


def _offsets(positions: Mapping[TopicPartition, int], partition: int) -> Offsets:
    deltas, responses = _places(partition)
    return Offsets(positions[deltas], positions[responses])
