"""The context of a delivery, for handlers that are called directly."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from headrace.messaging.contract import PROTOBUF, Encoding, Outgoing, StageContext

NOW_MS = 1_800_000_000_000


@dataclass
class Cancelling:
    """A cancellation that a test requests."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    # Set together with `stopped_attempt`.
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stopped_attempt: int = 0

    @property
    def requested(self) -> bool:
        return self.event.is_set()

    async def wait(self) -> None:
        await self.event.wait()

    def stopped(self, attempt: int) -> bool:
        return attempt <= self.stopped_attempt

    async def wait_stopped(self, attempt: int) -> None:
        await self.stop.wait()
        assert self.stopped(attempt)


@dataclass
class Published:
    """A publisher that keeps what it is given."""

    messages: list[Outgoing] = field(default_factory=list)

    async def publish(self, outgoing: Outgoing) -> None:
        self.messages.append(outgoing)


def a_context(
    *,
    message_id: str = "message-1",
    key: str = "key-1",
    tenant: str = "",
    now_ms: int = NOW_MS,
    deadline_ms: int = 0,
    headers: Mapping[str, str] | None = None,
    encoding: Encoding = PROTOBUF,
    position: int = 0,
) -> StageContext:
    """A first delivery."""
    return StageContext(
        message_id=message_id,
        key=key,
        tenant=tenant,
        now_ms=now_ms,
        deadline_ms=deadline_ms,
        attempt=1,
        lane="interactive",
        cancellation=Cancelling(),
        headers=headers or {},
        publisher=Published(),
        encoding=encoding,
        position=position,
    )
