import subprocess
import sys
from pathlib import Path

import pytest

from headrace.embedded.scratch import ScratchFolder
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

MAKER = """
import signal
from headrace.embedded.scratch import ScratchFolder
folder = ScratchFolder("headrace-test-").path
(folder / "left").write_text("behind")
print(folder, flush=True)
signal.pause()
"""


async def test_a_folder_goes_with_its_killed_maker() -> None:
    """INVARIANT: kill -9 of the supervisor leaves no file of an ephemeral stack behind."""
    with subprocess.Popen(  # noqa: ASYNC220 - a moment, and nothing else runs
        [sys.executable, "-c", MAKER], stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        folder = Path(maker.stdout.readline().strip())
        assert (folder / "left").exists()
        maker.kill()
        await until("the folder to go", lambda: not folder.exists())


def test_a_folder_goes_when_it_is_removed(tmp_path: Path) -> None:
    scratch = ScratchFolder("x", base=tmp_path)
    (scratch.path / "deep").mkdir()
    scratch.remove()
    assert not list(tmp_path.iterdir())
