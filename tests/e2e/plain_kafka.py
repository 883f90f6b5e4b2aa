"""A Kafka client that is not ours, writing and reading JSON as any other team's service would."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, Producer

Message = dict[str, Any]


class PlainReader:
    """Everything that topics hold, from their beginning, as far as it is JSON."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._seen: list[tuple[str, Message]] = []

    def until(self, what: str, enough: Callable[[list[tuple[str, Message]]], bool], seconds: float = 120) -> None:
        """Read on until what was read is enough; fail with what was waited for."""
        give_up = time.monotonic() + seconds
        while not enough(self._seen):
            assert time.monotonic() < give_up, f"no {what} within {seconds} s"
            record = self._consumer.poll(0.2)
            if record is not None and record.error() is None and (record.value() or b"").startswith(b"{"):
                self._seen.append((record.topic() or "", json.loads(record.value() or b"")))

    def first(self, what: str, topic: str, seconds: float = 120, **fields: Any) -> Message:
        """The first message of a topic with these fields."""

        def matching(seen: list[tuple[str, Message]]) -> list[Message]:
            return [each for at, each in seen if at == topic and fields.items() <= each.items()]

        self.until(what, lambda seen: bool(matching(seen)), seconds)
        return matching(self._seen)[0]

    def all_of(self, topic: str, **fields: Any) -> list[Message]:
        """What was read so far of a topic with these fields."""
        return [each for at, each in self._seen if at == topic and fields.items() <= each.items()]


@contextmanager
def reading(bootstrap: str, *topics: str) -> Iterator[PlainReader]:
    """Follow topics."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": f"test-{uuid4()}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(list(topics))
    try:
        yield PlainReader(consumer)
    finally:
        consumer.close()


def write(bootstrap: str, topic: str, key: str, message: Message | None) -> None:
    """Produce one message, or a tombstone, and wait until the broker has it."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    value = None if message is None else json.dumps(message)
    producer.produce(topic, key=key, value=value, headers={"content-type": "application/json"})
    assert producer.flush(30) == 0
