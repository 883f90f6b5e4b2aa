"""How far a consumer group still has to go: what a command waits for that asked a service to do something."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import follow

_LOOK_EVERY_S: Final = 0.2
# After so many looks at which nothing has moved, one reads whether there is anything to wait for.
_DOUBTFUL: Final = 10
_READ_S: Final = 5.0


async def remaining(bootstrap: str, group: str, ends: Mapping[TopicPartition, int]) -> AsyncGenerator[int, None]:
    """Yield how many offsets before `ends` the group has not committed yet, again and again, until there are none.

    Committed means worked off: the effects are there, or the message waits for its next try, or it is a dead letter.
    The mark of a transaction is an offset as well, and nobody commits one that stands at the end: it does not count.
    """
    wanted = {KafkaPartition(*place): end for place, end in ends.items() if end > 0}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    await admin.start()
    try:
        before, same = sum(wanted.values()), 0
        marks: set[tuple[TopicPartition, int]] = set()
        while wanted:
            try:
                committed = await admin.list_consumer_group_offsets(group, partitions=list(wanted))
            except GroupCoordinatorNotAvailableError:
                # A new broker has no coordinator of groups before the first one asks for it.
                yield before
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            # -1 stands for a partition of which the group has committed nothing.
            reached = {TopicPartition(*place): max(0, committed[place].offset) for place in wanted}
            behind = {place: at for place, at in reached.items() if at < ends[place] and (place, at) not in marks}
            left = sum(ends[place] - at for place, at in behind.items())
            yield left
            if not left:
                return
            before, same = left, same + 1 if left == before else 0
            if same and same % _DOUBTFUL == 0:
                marks |= await _marks_only(bootstrap, behind, ends)
            else:
                await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        await admin.close()


async def _marks_only(
    bootstrap: str, behind: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> set[tuple[TopicPartition, int]]:
    """Those of these positions behind which no record is left to read."""
    empty = dict(behind)
    records = follow(bootstrap, behind, {place: ends[place] for place in behind})
    try:
        async with asyncio.timeout(_READ_S), aclosing(records):
            async for record in records:
                empty.pop(record.home, None)
                if not empty:
                    break
    except TimeoutError:
        # A transaction is still open there.
        return set()
    return set(empty.items())
