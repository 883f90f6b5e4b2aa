"""Folders that go with the process that made them, kill -9 included.

Run by path as `python scratch.py FOLDER` this file is the broom: it waits for the end of its maker, whose pipe it
reads, and removes the folder.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The maker's other children end at the same time and may write until then.
SWEEPS = 50
PAUSE_SECONDS = 0.1


class ScratchFolder:
    """A fresh folder until `remove`, or until this process ends, however it ends."""

    def __init__(self, prefix: str, *, base: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        self._broom = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in a terminal is for the maker.
            start_new_session=True,
        )

    def remove(self) -> None:
        """Remove the folder now."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._broom.communicate()


def sweep(folder: Path) -> None:
    """Wait for the maker's end, then remove the folder."""
    sys.stdin.read()
    for _ in range(SWEEPS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sweep(Path(sys.argv[1]))
