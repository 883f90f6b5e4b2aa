"""One stack for the session, which must leave nothing behind."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, left_behind, start, stop


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Its own, so that nothing else that runs here is taken for what it left; short, since sockets lie in there.
    scratch = Path(tempfile.mkdtemp(prefix="hr-"))
    running = start(tmp_path_factory.mktemp("stack"), scratch)
    try:
        yield running
    finally:
        code = stop(running)
    assert code == 0
    assert left_behind(running) == []
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
