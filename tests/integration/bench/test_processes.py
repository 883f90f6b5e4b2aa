import subprocess
import sys
from collections.abc import Iterator

import pytest

from headrace.bench.processes import footprints

pytestmark = pytest.mark.integration

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
STARTS_ANOTHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS!r}])"
WORKS = "print('up', flush=True)\nwhile True: pass"


class Programs:
    """Programs of a test, ended with it."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []

    def start(self, code: str) -> int:
        program = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._running.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        return program.pid

    def end(self) -> None:
        for program in self._running:
            program.stdin and program.stdin.close()  # a child that waits ends with it
            program.stdout and program.stdout.close()
            program.kill()
            program.wait()


@pytest.fixture
def programs() -> Iterator[Programs]:
    running = Programs()
    yield running
    running.end()


def test_a_part_is_counted_with_all_that_it_started(programs: Programs) -> None:
    alone, parent = programs.start(WAITS), programs.start(STARTS_ANOTHER)
    found = {each.part: each for each in footprints({"alone": alone, "parent": parent}, 0.3)}
    assert (found["alone"].processes, found["parent"].processes) == (1, 2)
    assert found["parent"].rss_bytes > found["alone"].rss_bytes > 2**20


def test_who_works_and_who_waits_can_be_told_apart(programs: Programs) -> None:
    found = {
        each.part: each for each in footprints({"idle": programs.start(WAITS), "busy": programs.start(WORKS)}, 1.0)
    }
    assert found["idle"].cpu_percent < 5
    assert found["busy"].cpu_percent > 10


def test_a_part_that_is_gone_takes_nothing() -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (found,) = footprints({"gone": int(gone.stdout)}, 0.01)
    assert (found.processes, found.rss_bytes, found.cpu_percent) == (0, 0, 0.0)
