"""Where the effects of a record go out: by the member that holds the record's partition, and by nobody else."""

from collections.abc import Callable

from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fenced
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.transport import Subscription


class Outlet:
    """The way out for each record; bound to the place in the group once there is one."""

    def __init__(self) -> None:
        self._subscription: Subscription | None = None

    def bind(self, subscription: Subscription) -> None:
        """Publish by this place in the group."""
        self._subscription = subscription

    def of(self, record: Received) -> Publisher:
        """What publishes for this record."""
        if self._subscription is None:
            raise Fenced("not a member of the group yet")
        return self._subscription.outlet(record)

    def afresh(self, record: Received) -> None:
        """Forget what a try has led to, before the next one or before it is given up."""
        if self._subscription is not None:
            self._subscription.afresh(record)


class FencedPublisher:
    """Publishes as long as the partition is ours.

    A process that was paused beyond its session goes on in the middle of its work, while another has taken it over:
    what it would publish now is late.
    """

    def __init__(self, publisher: Publisher, holds: Callable[[TopicPartition], bool], place: TopicPartition) -> None:
        self._publisher = publisher
        self._holds = holds
        self._place = place

    async def publish(self, outgoing: Outgoing) -> None:
        """Publish, or raise `Fenced`."""
        if not self._holds(self._place):
            raise Fenced(f"{self._place.topic}:{self._place.partition} is not ours any more")
        await self._publisher.publish(outgoing)
