"""A producer that sends whatever it is given, byte for byte."""

import asyncio
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

_MOST_BYTES: Final = 16 * 1024 * 1024
_WAITING: Final = 1_000


class Sending:
    """Remembers which mutants the broker would not take: too large, or without a key where keys are compacted."""

    def __init__(self, bootstrap: str) -> None:
        self._refused: set[int] = set()
        self._broken: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "linger.ms": 5,
                "message.max.bytes": _MOST_BYTES,
                # Otherwise one that the broker refuses would take those beside it along.
                "batch.num.messages": 1,
                "log_level": 0,
            }
        )

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        held: Sequence[tuple[str, bytes]],
        *,
        number: int | None = None,
    ) -> None:
        """Send; a mutant has a number."""

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                return
            if number is None:
                self._broken.append(f"{topic}: {error}")
            else:
                self._refused.add(number)

        while len(self._producer) > _WAITING:
            self._producer.poll(0)
            await asyncio.sleep(0.01)
        self._producer.produce(topic, value=value, key=key, headers=list(held), on_delivery=delivered)
        self._producer.poll(0)

    async def flush(self) -> frozenset[int]:
        """Wait for the broker; the numbers that it refused."""
        await asyncio.to_thread(self._producer.flush, 120)
        if self._broken:
            raise RuntimeError(f"the broker refused valid messages: {self._broken[:3]}")
        return frozenset(self._refused)
