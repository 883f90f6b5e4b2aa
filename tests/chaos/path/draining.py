"""Waiting until nothing is left to do: every group has committed all that stands in its partitions."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from headrace.messaging import topics
from headrace.messaging.retries import RetryPolicy
from tests.chaos.path.reading import end_offsets, records

GROUPS: Final = tuple(f"headrace.{service}" for service in topics.SERVICES)
_EVERY_S: Final = 1.0
_QUIET_LOOKS: Final = 2
# What the cluster says of a group whose coordinator was killed, until another has taken over and is known.
_MOVING: Final = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
_MOVED_WITHIN_S: Final = 60.0
# So few left may be a transaction's markers, which no consumer ever reads.
_MAY_BE_MARKERS: Final = 64

_RETRIES: Final = frozenset(
    name for service in topics.SERVICES for name in topics.retries_of(service, topics.RETRY_TIERS)
)
_LONGEST_REST_S: Final = RetryPolicy().rests_ms[-1] / 1000

Place = tuple[str, int]


class UnansweredError(Exception):
    """No broker takes itself for the coordinator of a group."""


class Backlog:
    """What the groups have still to commit."""

    def __init__(self, bootstrap: str, groups: Sequence[str] = GROUPS) -> None:
        self._bootstrap = bootstrap
        self._groups = groups
        self._admin = self._client()

    async def at_most(self, count: int) -> None:
        """Wait until no more than so many records could be worked on: those that rest are not counted."""
        while True:
            left = await self.left()
            if sum(each for (_, (topic, _)), each in left.items() if topic not in _RETRIES) <= count:
                return
            await asyncio.sleep(_EVERY_S / 5)

    async def left(self) -> Mapping[tuple[str, Place], int]:
        """Records by group and partition that are not committed yet."""
        return await asyncio.to_thread(self._left)

    async def empty(self, *, patience_s: float) -> list[str]:
        """Wait until nothing is left; after `patience_s` without any progress, a sentence for each partition that
        stands still. A group that the cluster does not answer for is one as well."""
        try:
            return await self._empty(patience_s)
        except UnansweredError as exc:
            return [str(exc)]

    async def _empty(self, patience_s: float) -> list[str]:
        before: Mapping[tuple[str, Place], int] = {}
        moved = monotonic()
        quiet = 0
        # Twice: a stage may be empty while the one before it is just about to publish.
        while quiet < _QUIET_LOOKS:
            left = await self.left()
            quiet = 0 if left else quiet + 1
            if left != before:
                before, moved = left, monotonic()
            # What rests for its next try does nothing meanwhile, and is not stuck.
            rests_s = _LONGEST_REST_S if all(topic in _RETRIES for _, (topic, _) in left) else 0
            if left and monotonic() - moved > patience_s + rests_s:
                return [
                    f"{group} stands still in {topic}/{partition}: {count} not committed after "
                    f"{patience_s + rests_s:.0f} s"
                    for (group, (topic, partition)), count in sorted(left.items())
                ]
            await asyncio.sleep(_EVERY_S)
        return []

    def _left(self) -> dict[tuple[str, Place], int]:
        committed = {group: self._committed(group) for group in self._groups}
        places = {place for offsets in committed.values() for place in offsets}
        if not places:
            return {}
        ends = end_offsets(self._bootstrap, places)
        return {
            (group, place): ends[place] - offset
            for group, offsets in committed.items()
            for place, offset in offsets.items()
            if ends[place] > offset and self._holds_records(place, offset, ends[place])
        }

    def _committed(self, group: str) -> dict[Place, int]:
        """A look that the cluster could not answer says nothing about the group: it is taken again."""
        until = monotonic() + _MOVED_WITHIN_S
        while True:
            try:
                return self._look(group)
            except KafkaException as exc:
                if exc.args[0].code() not in _MOVING:
                    raise
                if monotonic() > until:
                    raise UnansweredError(
                        f"nobody answers for {group} after {_MOVED_WITHIN_S:.0f} s: {exc.args[0].name()}"
                    ) from exc
                # A client keeps the coordinator that it has found, whatever that one says now.
                self._admin = self._client()
                sleep(_EVERY_S)

    def _look(self, group: str) -> dict[Place, int]:
        """Where the group stands in each partition that it ever committed or is given to a member now."""
        described = self._admin.describe_consumer_groups([group], request_timeout=30)[group].result()
        offsets = {
            (place.topic, place.partition): 0
            for member in described.members
            for place in member.assignment.topic_partitions
        }
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=30)
        for place in asked[group].result().topic_partitions:
            offsets[place.topic, place.partition] = max(0, place.offset)
        return offsets

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 0})

    def _holds_records(self, place: Place, offset: int, end: int) -> bool:
        if end - offset > _MAY_BE_MARKERS:
            return True
        topic, partition = place
        return next(iter(records(self._bootstrap, topic, {partition: offset})), None) is not None
