"""One stack for the session."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack, start, stop


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start(tmp_path_factory.mktemp("stack"))
    try:
        yield running
    finally:
        stop(running)
