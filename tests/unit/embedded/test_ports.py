import socket

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
