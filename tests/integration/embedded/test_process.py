import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from headrace.embedded.process import ChildProcess
from headrace.messaging.errors import Fatal
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

FOR_EVER = (sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()")
PARENT = """
import os, signal, sys
from pathlib import Path
from headrace.embedded.process import ChildProcess
child = ChildProcess("child", [sys.executable, "-c", "import signal; signal.pause()"], log=Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
signal.pause()
"""

FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
child.wait()
"""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    signal.pause()
"""


def _alive(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


async def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """INVARIANT: kill -9 of the supervisor leaves no process behind."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "child.log")]
    with subprocess.Popen(  # noqa: ASYNC220 - a moment, and nothing else runs
        command, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _alive(child)
        parent.kill()
        await until("the end of the child", lambda: not _alive(child))


async def test_stop_ends_the_whole_group(tmp_path: Path) -> None:
    process = ChildProcess("family", [sys.executable, "-c", FAMILY], log=tmp_path / "log")
    process.start()
    await until("the grandchild", lambda: bool(process.tail()))
    grandchild = int(process.tail()[0])
    await process.stop(seconds=5)
    await until("the end of the grandchild", lambda: not _alive(grandchild))


async def test_one_that_ignores_the_request_is_ended_after_its_time(tmp_path: Path) -> None:
    process = ChildProcess("deaf", [sys.executable, "-c", DEAF], log=tmp_path / "log")
    process.start()
    await until("its first word", lambda: bool(process.tail()))
    await process.stop(seconds=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_an_early_end_names_the_log_and_its_last_lines(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    process = ChildProcess(
        "broken", [sys.executable, "-c", "import sys; sys.exit('no disk left')"], log=tmp_path / "broken.log"
    )
    process.start()
    with pytest.raises(
        Fatal, match=r"broken ended with status 1 while starting; its log is .*broken\.log and ends:\s+no disk left"
    ):
        await process.ready(never, seconds=20)


async def test_the_end_is_noticed_without_polling(tmp_path: Path) -> None:
    process = ChildProcess("brief", FOR_EVER, log=tmp_path / "log")
    process.start()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert process.ending == "was ended by SIGKILL"
