"""A producer like any other team's: `acks=all`, idempotent, and it remembers what the broker acknowledged."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from headrace.messaging import headers
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import PROTOBUF
from tests.chaos.path.load import TENANT, Sent

# Longer than any outage that an attack makes: the client's own patience must not be what is measured.
_PATIENCE_MS: Final = 300_000
_TICK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Where the broker put a message, and how long it took to say so."""

    topic: str
    partition: int
    offset: int
    seconds: float


class Submitting:
    """Sends a load at a pace. `acknowledged` and `refused` are by the id of what was sent."""

    def __init__(self, bootstrap: str) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.refused: dict[str, str] = {}
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": _PATIENCE_MS,
                "linger.ms": 5,
                # A broker that dies is the attack, not news.
                "log_level": 0,
            }
        )

    @property
    def slowest_seconds(self) -> float:
        """The longest that an acknowledgement took: how long a broker's death stalled a producer."""
        return max((each.seconds for each in self.acknowledged.values()), default=0.0)

    @property
    def complaints(self) -> list[str]:
        """A sentence if the broker refused anything."""
        if not self.refused:
            return []
        reasons = ", ".join(sorted(set(self.refused.values())))
        return [f"{len(self.refused)} messages were refused by the broker: {reasons}"]

    async def send(self, load: Iterable[Sent], per_second: float) -> None:
        """Send everything, evenly; return when each message is acknowledged or refused."""
        began = monotonic()
        sent = 0
        for each in load:
            while sent > (monotonic() - began) * per_second:
                self._producer.poll(0)
                await asyncio.sleep(_TICK_S)
            self._put(each)
            sent += 1
            if not sent % 50:
                self._producer.poll(0)
                await asyncio.sleep(0)
        while len(self.acknowledged) + len(self.refused) < sent:
            self._producer.poll(0)
            await asyncio.sleep(_TICK_S)

    def _put(self, sent: Sent) -> None:
        at = monotonic()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.refused[sent.id] = str(error)
                return
            place = message.topic(), message.partition(), message.offset()
            self.acknowledged[sent.id] = Acknowledged(
                str(place[0]), int(place[1] or 0), int(place[2] or 0), monotonic() - at
            )

        self._producer.produce(
            sent.topic,
            key=sent.key.encode(),
            value=encode(sent.message),
            headers={
                headers.MESSAGE_ID: sent.id.encode(),
                headers.CONTENT_TYPE: content_type(type(sent.message), PROTOBUF).encode(),
                headers.TENANT: TENANT.encode(),
            },
            on_delivery=delivered,
        )
