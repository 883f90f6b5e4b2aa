"""What the tests of parts share: waiting for something, by name."""

import threading
from collections.abc import Callable
from time import monotonic

import pytest

WaitUntil = Callable[[str, Callable[[], bool]], None]


@pytest.fixture
def wait_until() -> WaitUntil:
    """Poll until a condition holds; fail with what was waited for."""

    def wait(what: str, condition: Callable[[], bool], seconds: float = 20) -> None:
        until, pause = monotonic() + seconds, threading.Event()
        while not condition():
            if monotonic() > until:
                pytest.fail(f"after {seconds} s still waiting for {what}")
            pause.wait(0.02)

    return wait
