"""One stack for the session, which must leave nothing behind."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, left_behind, start, stop


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    scratch = Path(tempfile.gettempdir())
    before = set(scratch.glob("headrace-*"))
    running = start(tmp_path_factory.mktemp("stack"))
    try:
        yield running
    finally:
        code = stop(running)
    assert code == 0
    assert left_behind(running) == []
    assert set(scratch.glob("headrace-*")) <= before
