"""Whether this process may still call itself a member of its group: only as long as its heartbeats are answered.

A process that was paused, or cut off from the broker, beyond its session goes on as if nothing had happened until it
hears that its partitions have moved. Until then nothing says so but the age of the last answer.
"""

import time
from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from headrace.messaging.errors import Fatal
from headrace.messaging.records import TopicPartition

SESSION_TIMEOUT_MS: Final = 10_000
# The broker counts from when it received a heartbeat, we from when its answer came: some of the session is unknown.
_CERTAIN_S: Final = 0.8 * SESSION_TIMEOUT_MS / 1000


class Membership:
    """Watches the heartbeats of an aiokafka consumer, which keeps the time of the last one to itself."""

    def __init__(
        self, consumer: AIOKafkaConsumer, *, group: str, instance: str, failed: Callable[[BaseException], None]
    ) -> None:
        self._consumer = consumer
        self._group = group
        self._instance = instance
        self._failed = failed
        # When the last request was sent that the group has answered. Not when the answer came: it may have lain in the
        # socket while this process was paused.
        self._answered = self._joining = time.monotonic()
        self._coordinator = consumer._coordinator  # noqa: SLF001 - there is no public way to its heartbeats
        self._beat = self._coordinator._do_heartbeat  # noqa: SLF001
        self._coordinator._do_heartbeat = self._observed  # noqa: SLF001
        self._generation = self._coordinator.generation
        self._replaced = False

    def holds(self, place: TopicPartition) -> bool:
        """Whether the partition is certainly ours."""
        if self._replaced or time.monotonic() - self._answered > _CERTAIN_S:
            return False
        return KafkaPartition(*place) in self._consumer.assignment()

    def rejoins(self) -> None:
        """Note that the group is asked for partitions anew."""
        self._joining = time.monotonic()

    def dealt(self) -> bool:
        """Note that partitions were dealt out; whether nobody else can have held ours since the time before."""
        before, self._generation = self._generation, self._coordinator.generation
        self._answered = max(self._answered, self._joining)
        return bool(before <= self._generation <= before + 1)

    async def _observed(self) -> bool:
        sent = time.monotonic()
        fresh = sent - self._answered < _CERTAIN_S
        success = bool(await self._beat())
        if success:
            self._answered = sent
        elif fresh and not self._coordinator.member_id:
            # The session cannot have run out: somebody has joined under our name and taken our place.
            self._replaced = True
            # Joined again, it would take the place back before its process has ended, and both would end.
            self._coordinator.ensure_active_group = self._stays_out
            self._failed(
                Fatal(
                    f"another process is member {self._instance!r} of {self._group}: "
                    "give every process a HEADRACE_INSTANCE of its own"
                )
            )
        return success

    async def _stays_out(self, *_subscription: object) -> None:
        await self._coordinator._closing  # noqa: SLF001 - when the consumer is closed
