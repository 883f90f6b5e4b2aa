import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headrace.embedded.ports import LOOPBACK, is_free

pytestmark = pytest.mark.integration

HEADRACE = (sys.executable, "-m", "headrace.cli.main")


def _run(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HEADRACE_DATA_DIR": str(data)}
    return subprocess.run(
        [*HEADRACE, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


class _Up:
    """`headrace up --json`, event by event."""

    def __init__(self, *arguments: str, home: Path) -> None:
        environment = {**os.environ, "TMPDIR": str(home), "HEADRACE_DATA_DIR": str(home / "data")}
        self.process = subprocess.Popen(
            [*HEADRACE, "up", "--json", *arguments], env=environment, stdout=subprocess.PIPE, text=True
        )
        self.pids: set[int] = set()
        self.seen: list[dict[str, Any]] = []

    def until(self, **wanted: object) -> dict[str, Any]:
        """Read events until one holds all of `wanted`; pytest's own limit ends a wait in vain."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            self.seen.append(event)
            if event.get("pid"):
                self.pids.add(event["pid"])
            if wanted.items() <= event.items():
                return event
        pytest.fail(f"headrace up ended with {self.process.wait()} and never said {wanted}; last: {self.seen[-3:]}")


@pytest.fixture
def feedback(tmp_path: Path) -> Iterator[_Up]:
    up = _Up("--ephemeral", "--only", "feedback", home=tmp_path)
    yield up
    if up.process.poll() is None:
        up.process.kill()
    up.process.wait()
    assert up.process.stdout is not None
    up.process.stdout.close()


def _alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def test_a_service_that_dies_comes_back_and_a_stop_leaves_nothing(feedback: _Up, tmp_path: Path) -> None:
    feedback.until(event="ready")
    first = next(event for event in feedback.seen if event.get("name") == "feedback" and event["state"] == "ready")
    os.kill(first["pid"], signal.SIGKILL)
    again = feedback.until(name="feedback", state="ready", restarts=1)
    assert again["address"] == first["address"]
    broker = next(event for event in feedback.seen if event.get("name") == "kafka" and event["state"] == "ready")

    feedback.process.send_signal(signal.SIGTERM)
    feedback.until(event="stopped")

    assert feedback.process.wait() == 0
    stopped = [event["name"] for event in feedback.seen if event.get("state") == "stopped"]
    assert stopped.index("feedback") < stopped.index("kafka")
    assert not [pid for pid in feedback.pids if _alive(pid)]
    assert is_free(int(broker["address"].rsplit(":", 1)[1]))
    assert not list(tmp_path.iterdir())


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = _run("up", "--port", str(port), data=tmp_path)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_service_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    done = _run("up", "--only", "inferrence", data=tmp_path)
    assert done.returncode == 2
    assert "no service is called inferrence" in done.stderr
    assert "inference" in done.stderr


def test_status_says_that_nothing_runs_and_how_to_change_that(tmp_path: Path) -> None:
    done = _run("status", data=tmp_path)
    assert done.returncode == 3
    assert "headrace up" in done.stderr
