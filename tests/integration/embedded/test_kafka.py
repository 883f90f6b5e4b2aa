import hashlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from headrace.embedded import jars
from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.ports import is_free
from headrace.embedded.topics import ensure_topics
from headrace.messaging import topics

pytestmark = pytest.mark.integration


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path / "kafka")
    await broker.start()
    yield broker
    await broker.stop()


def _produce(bootstrap: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topics.PROMPTS, value)
    assert producer.flush(20) == 0


def _first(bootstrap: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe([topics.PROMPTS])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.error() is None
    return message.value()


def _mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_what_was_acknowledged_survives_kill_9(broker: EmbeddedKafka) -> None:
    await ensure_topics(broker.address)
    _produce(broker.address, b"kept")
    address = broker.address
    assert broker.process is not None
    assert broker.process.pid is not None
    os.kill(broker.process.pid, signal.SIGKILL)
    await broker.process.wait()

    await broker.start()

    assert broker.address == address
    assert _first(address) == b"kept"


async def test_a_restarted_broker_is_found_where_it_was(broker: EmbeddedKafka, tmp_path: Path) -> None:
    address = broker.address
    await broker.stop()
    again = EmbeddedKafka(tmp_path / "kafka")
    await again.start()
    assert again.address == address
    await again.stop()


async def test_a_start_uses_the_start_up_cache(broker: EmbeddedKafka) -> None:
    """INVARIANT: without the mapped cache a start takes three times as long, and nothing else would tell."""
    assert broker.process is not None
    assert broker.process.pid is not None
    assert "broker.aot" in _mapped(broker.process.pid)


async def test_topics_are_created_once_and_then_left_as_planned(broker: EmbeddedKafka) -> None:
    assert set(await ensure_topics(broker.address)) == topics.all_topics()
    assert await ensure_topics(broker.address) == ()


async def test_an_ephemeral_broker_leaves_no_process_no_port_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broker = EmbeddedKafka()
    await broker.start()
    assert broker.process is not None
    port = int(broker.address.rsplit(":", 1)[1])
    assert _files(tmp_path)

    await broker.stop()

    assert broker.process.pid is None
    assert is_free(port)
    assert not _files(tmp_path)


def test_a_jar_that_was_cut_off_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smallest = min(jars.parse(jars.pins_file().read_text()), key=lambda jar: jar.size)
    pins = tmp_path / "infra" / "kafka" / "jars.txt"
    pins.parent.mkdir(parents=True)
    pins.write_text(f"{smallest.sha256} {smallest.size} {smallest.coordinate}\n")
    monkeypatch.setenv("HEADRACE_INFRA_DIR", str(tmp_path / "infra"))
    monkeypatch.setenv("HEADRACE_CACHE_DIR", str(tmp_path / "cache"))
    cut_off = smallest.path(tmp_path / "cache" / "maven")
    cut_off.parent.mkdir(parents=True)
    cut_off.write_bytes(b"half")
    steps: list[tuple[int, int]] = []

    (path,) = jars.fetch(lambda done, total: steps.append((done, total)))

    assert hashlib.sha256(path.read_bytes()).hexdigest() == smallest.sha256
    assert steps == [(smallest.size, smallest.size)]
