"""Every service writes the one store of its machine at the same time: nothing may be lost, and nobody may wait long."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.telemetry.store import read_trace

PROCESSES = 4
SPANS = 500

SERVICE = f"""
import sys
from opentelemetry import trace
from headrace.telemetry import attributes, metrics
from headrace.telemetry.setup import setup_telemetry

name = sys.argv[1]
shutdown = setup_telemetry(name)
tracer = trace.get_tracer("test")
print("ready", flush=True)
sys.stdin.readline()
for number in range({SPANS}):
    with tracer.start_as_current_span("process " + name, attributes={{attributes.TURN_ID: f"turn {{number % 10}}"}}):
        pass
shutdown()
print(int(metrics.SPANS_DROPPED.labels("sqlite")._value.get()), flush=True)
"""


def start(name: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVICE, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.integration
def test_processes_that_write_at_once_lose_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    services = [start(f"service{number}", environment) for number in range(PROCESSES)]
    for service in services:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
    told = []
    began = time.monotonic()
    for service in services:
        assert service.stdin is not None
        service.stdin.write("go\n")
        service.stdin.flush()
    for service in services:
        out, err = service.communicate(timeout=60)
        assert service.returncode == 0, err
        told.append((out, err))
    assert told == [("0\n", "")] * PROCESSES
    assert time.monotonic() - began < 30
    rows = [row for number in range(10) for row in read_trace(tmp_path / "traces.sqlite", f"turn {number}")]
    assert len({(row.trace_id, row.span_id) for row in rows}) == PROCESSES * SPANS
    assert {row.service for row in rows} == {f"service{number}" for number in range(PROCESSES)}


@pytest.mark.integration
def test_a_killed_process_leaves_a_store_that_others_write_and_read(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    victim, survivor = start("victim", environment), start("survivor", environment)
    for service in (victim, survivor):
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
    assert victim.stdin is not None
    victim.stdin.write("go\n")
    victim.stdin.flush()
    victim.kill()
    victim.communicate(timeout=10)
    out, err = survivor.communicate("go\n", timeout=60)
    assert (out, err) == ("0\n", "")
    found = [row for row in read_trace(tmp_path / "traces.sqlite", "turn 3") if row.service == "survivor"]
    assert len(found) == SPANS / 10
