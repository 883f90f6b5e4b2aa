"""A read-committed reader that writes down when it got what."""

import asyncio
from time import monotonic
from typing import Final

from confluent_kafka import Consumer

from headrace.v1.feedback_pb2 import FeedbackSubmitted
from tests.chaos.consumer.judging import Seen
from tests.chaos.consumer.slow_work import DONE

_POLL_S: Final = 0.2


class Reader:
    """Reads the output from its first record until it is stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.seen: list[Seen] = []
        self._stopped = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "headrace-chaos-done",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        self._consumer.subscribe([DONE])

    async def run(self) -> None:
        """Until `stop`."""
        try:
            await asyncio.to_thread(self._read)
        finally:
            self._consumer.close()

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True

    def _read(self) -> None:
        while not self._stopped:
            message = self._consumer.poll(_POLL_S)
            if message is None or message.error() is not None:
                continue
            key, _, number = FeedbackSubmitted.FromString(message.value() or b"").feedback_id.rpartition(".")
            self.seen.append(Seen(key, int(number), monotonic()))
