"""Schedules log what thousands of messages log; tests keep it out of their output."""

from collections.abc import Iterator

import pytest
import structlog

from tests.chaos.sim.schedules import drop_logs


@pytest.fixture(autouse=True)
def without_logs() -> Iterator[None]:
    kept = structlog.get_config()
    drop_logs(for_good=False)
    yield
    structlog.configure(**kept)
