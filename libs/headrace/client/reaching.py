"""Whether a broker listens, asked before its client is started: that one tries on and on, and says so in the log."""

import asyncio
from typing import Final

from headrace.messaging.errors import Fatal

CONNECT_TIMEOUT_S: Final = 5.0


async def reach(bootstrap: str) -> None:
    """Return if any of the addresses takes a connection, raise `Fatal` if none does."""
    for address in bootstrap.split(","):
        if await _listens(address):
            return
    raise Fatal(f"no broker answers at {bootstrap}: start `headrace up`, or set HEADRACE_KAFKA_BOOTSTRAP")


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    await writer.wait_closed()
    return True
