"""The real parts that integration tests stand on: started once a session, gone with it."""

import asyncio
from collections.abc import Iterator

import pytest

from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.topics import ensure_topics
from headrace.embedded.valkey import EmbeddedValkey


@pytest.fixture(scope="session")
def part_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of our own: pytest-asyncio's are closed with each test."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def kafka(part_loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """Bootstrap address of a fresh broker with every topic."""
    broker = EmbeddedKafka()
    try:
        part_loop.run_until_complete(broker.start())
        part_loop.run_until_complete(ensure_topics(broker.address))
        yield broker.address
    finally:
        part_loop.run_until_complete(broker.stop())


@pytest.fixture(scope="session")
def valkey(part_loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """URL of a fresh, empty server."""
    server = EmbeddedValkey()
    try:
        part_loop.run_until_complete(server.start())
        yield server.address
    finally:
        part_loop.run_until_complete(server.stop())
