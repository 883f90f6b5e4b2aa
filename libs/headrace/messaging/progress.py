"""How far a consumer group still has to go: what a command waits for that asked a service to do something."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from headrace.messaging.errors import Retryable
from headrace.messaging.records import TopicPartition

_LOOK_EVERY_S: Final = 0.2


@contextmanager
def reaching(bootstrap: str) -> Iterator[None]:
    """Turn what the broker's client raises inside into `Retryable` that says where it looked."""
    try:
        yield
    except KafkaError as exc:
        raise Retryable(
            f"the broker at {bootstrap} cannot be reached ({type(exc).__name__}): start `headrace up` in this "
            "directory, or set HEADRACE_KAFKA_BOOTSTRAP to a broker that runs"
        ) from exc


async def remaining(bootstrap: str, group: str, ends: Mapping[TopicPartition, int]) -> AsyncGenerator[int, None]:
    """Yield how many offsets before `ends` the group has not committed yet, again and again, until there are none.

    Committed means worked off: the effects are there, or the message waits for its next try, or it is a dead letter.
    """
    wanted = {KafkaPartition(*place): end for place, end in ends.items() if end > 0}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    await admin.start()
    try:
        left = 1
        while wanted and left:
            committed = await admin.list_consumer_group_offsets(group, partitions=list(wanted))
            # -1 stands for a partition of which the group has committed nothing.
            left = sum(max(0, end - max(0, committed[place].offset)) for place, end in wanted.items())
            yield left
            if left:
                await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        await admin.close()
