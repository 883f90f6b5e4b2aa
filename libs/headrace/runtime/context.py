"""Builds what a handler may know of its message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from headrace.messaging import headers
from headrace.messaging.clock import Clock
from headrace.messaging.codec import encoding_of
from headrace.messaging.contract import Cancellation, Outgoing, Publisher, StageContext
from headrace.messaging.records import Received, header_int
from headrace.runtime.cancellations import Cancellations


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all processors of a service share."""

    service: str
    # Where the effects of a record go out; `Fenced` where the record is not ours any more.
    outlet: Callable[[Received], Publisher]
    clock: Clock
    cancellations: Cancellations


class HeaderedPublisher:
    """Adds the headers that a message inherits from the one that caused it."""

    def __init__(self, publisher: Publisher, inherited: Mapping[str, str], tenant: str) -> None:
        self._publisher = publisher
        self._inherited = inherited
        self._tenant = tenant

    async def publish(self, outgoing: Outgoing) -> None:
        """Publish with the inherited headers; the message's own win."""
        headed = replace(
            outgoing, headers={**self._inherited, **outgoing.headers}, tenant=outgoing.tenant or self._tenant
        )
        await self._publisher.publish(headed)


def context_of(
    record: Received,
    delivery: int,
    around: Surroundings,
    *,
    lane: str,
    tenant: str = "",
    deadline_ms: int = 0,
    turn_id: str = "",
) -> StageContext:
    """The context of one delivery."""
    deadline_ms = deadline_ms or header_int(record.headers, headers.DEADLINE)
    tenant = tenant or record.headers.get(headers.TENANT, "")
    inherited = {headers.DEADLINE: str(deadline_ms)} if deadline_ms else {}
    cancellation: Cancellation = around.cancellations.of(turn_id)
    return StageContext(
        message_id=record.headers.get(headers.MESSAGE_ID) or record.place,
        key=record.key_text,
        tenant=tenant,
        now_ms=around.clock.now_ms(),
        deadline_ms=deadline_ms,
        attempt=delivery,
        lane=lane,
        cancellation=cancellation,
        headers=record.headers,
        publisher=HeaderedPublisher(around.outlet(record), inherited, tenant),
        encoding=encoding_of(record.value or b"", record.headers.get(headers.CONTENT_TYPE, "")),
        position=header_int(record.headers, headers.ORIGIN_OFFSET, record.offset),
    )
