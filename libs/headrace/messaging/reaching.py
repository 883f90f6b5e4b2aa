"""Whether a broker is there, asked before its client is started: that one tries on and on, and says so in the log."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiokafka.errors import KafkaError

from headrace.messaging import topics
from headrace.messaging.errors import Unreachable
from headrace.messaging.tail import partitions_of

CONNECT_TIMEOUT_S: Final = 5.0
# A broker answers in milliseconds; whatever else listens there may never.
ANSWER_TIMEOUT_S: Final = 10.0
_REMEDY: Final = "start `headrace up` in this directory, or set HEADRACE_KAFKA_BOOTSTRAP to a broker that runs"


async def reach(bootstrap: str) -> None:
    """Return if a broker answers at any of the addresses, raise `Unreachable` if none does."""
    for address in bootstrap.split(","):
        if await _listens(address):
            break
    else:
        raise Unreachable(f"no broker answers at {bootstrap}: {_REMEDY}")
    with reaching(bootstrap):
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await partitions_of(bootstrap, topics.DEAD_LETTERS)
        except TimeoutError as exc:
            raise Unreachable(f"what listens at {bootstrap} does not answer as a broker: {_REMEDY}") from exc


@contextmanager
def reaching(bootstrap: str) -> Iterator[None]:
    """Turn what the broker's client raises inside into `Unreachable` that says where it looked."""
    try:
        yield
    except KafkaError as exc:
        raise Unreachable(f"the broker at {bootstrap} cannot be reached ({type(exc).__name__}): {_REMEDY}") from exc


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        # Whoever took the connection has reset it.
        return True
    return True
