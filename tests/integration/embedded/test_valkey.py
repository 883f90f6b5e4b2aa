import os
import signal
from pathlib import Path

import pytest
import redis.asyncio as redis

from headrace.embedded.ports import is_free
from headrace.embedded.valkey import EmbeddedValkey

pytestmark = pytest.mark.integration


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "valkey")
    await server.start()
    address = server.address
    client = redis.from_url(address, decode_responses=True)
    await client.set("headrace:kept", "yes")
    await client.aclose()
    assert server.process is not None
    assert server.process.pid is not None
    os.kill(server.process.pid, signal.SIGKILL)
    await server.process.wait()

    await server.start()

    assert server.address == address
    client = redis.from_url(address, decode_responses=True)
    assert await client.get("headrace:kept") == "yes"
    await client.aclose()
    await server.stop()


async def test_an_ephemeral_server_leaves_no_port_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server = EmbeddedValkey()
    await server.start()
    port = int(server.address.removesuffix("/0").rsplit(":", 1)[1])
    await server.stop()
    assert is_free(port)
    assert not _files(tmp_path)
