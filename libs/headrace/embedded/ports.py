"""Ports for parts that keep their address over a restart."""

import atexit
import random
import socket
import sys
from pathlib import Path

from headrace.messaging.errors import Fatal

LOOPBACK = "127.0.0.1"
# Ray hands 10002 to 19999 to its workers; what the kernel lends to clients comes after ours. A client that reconnects
# to a dead server on a lent port can be given that very port as its own and then talks to itself.
LOWEST = 20_000
FIRST_LENT = 32_768

# Between the look whether a port is free and the server's bind another stack may look too: whoever holds the claim
# has the port. Held for the life of this process, and let go by the kernel however it ends.
_claims: dict[int, socket.socket] = {}


def free_port(*preferred: int) -> int:
    """The first free one of `preferred`, else any free port below those that the kernel lends to clients."""
    for port in preferred:
        if is_free(port) and claimed(port):
            return port
    below = min(_first_lent(), FIRST_LENT)
    if below <= LOWEST:
        return _lent()
    for _ in range(200):
        # Not a secret: only a port that two stacks starting at once will hardly both pick.
        port = random.randrange(LOWEST, below)  # noqa: S311 - any free port will do
        if is_free(port) and claimed(port):
            return port
    raise Fatal(f"no free port between {LOWEST} and {below} on {LOOPBACK}: stop what holds them and start again")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def claimed(port: int) -> bool:
    """Claim a port among the stacks of this machine; False if another process has it. True without the means to."""
    if port in _claims or sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0headrace.port.{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


@atexit.register
def _release() -> None:
    while _claims:
        _claims.popitem()[1].close()


def _first_lent() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return FIRST_LENT


def _lent() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
