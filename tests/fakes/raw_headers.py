"""Records with header names that are not UTF-8, as clients in C and Go can write them.

`python -m tests.fakes.raw_headers BOOTSTRAP TOPIC VALUE...` writes one for each value.

Runs in a process of its own: aiokafka's writer in Python can be talked into such names, the compiled one cannot, and
which of them is used is decided by an environment variable (`ENVIRONMENT`) when aiokafka is imported.
"""

import asyncio
import sys
from typing import Final

from aiokafka import AIOKafkaProducer

ENVIRONMENT: Final = {"AIOKAFKA_NO_EXTENSIONS": "1"}
# No part of any UTF-8 text.
NAME: Final = b"\xff\xfe"


class _Raw(str):
    __slots__ = ()

    def encode(self, *_encoding: object, **_options: object) -> bytes:
        return NAME


async def write(bootstrap: str, topic: str, values: list[str]) -> None:
    """One record each, to partition 0."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(
                topic, value.encode(), key=value.encode(), partition=0, headers=[(_Raw("raw"), b"1"), ("tidy", b"2")]
            )
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], sys.argv[3:]))
