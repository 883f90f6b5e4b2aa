import socket
import subprocess
import sys

import pytest

from headrace.embedded import ports as ports_module
from headrace.embedded.ports import FIRST_LENT, LOOPBACK, LOWEST, free_port, is_free


def test_a_preferred_port_that_is_taken_is_left_alone() -> None:
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert not is_free(taken)
        assert free_port(taken) != taken


def test_a_preferred_port_that_is_free_is_taken() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_port_is_none_that_the_kernel_lends_to_clients() -> None:
    """INVARIANT: a client that reconnects to a dead server on a lent port may be given it and talk to itself."""
    assert all(LOWEST <= free_port() < FIRST_LENT for _ in range(20))


_CLAIM = "import sys; from headrace.embedded.ports import free_port; print(free_port({port})); sys.stdin.read()"


@pytest.mark.skipif(sys.platform != "linux", reason="claims are made by abstract sockets, which only Linux has")
def test_two_stacks_that_look_at_once_never_both_take_a_port() -> None:
    """INVARIANT: between the look and the server's bind the port belongs to the first who looked."""
    port = free_port()
    ports_module._claims.pop(port).close()
    command = [sys.executable, "-c", _CLAIM.format(port=port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert int(other.stdout.readline()) == port
        assert free_port(port) != port
        other.kill()
    assert free_port(port) == port
