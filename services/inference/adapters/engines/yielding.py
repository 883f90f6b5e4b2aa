"""A model on the processor takes what the others leave."""

import contextlib
import os
from pathlib import Path
from typing import Final

# Against 0, of everything else: a tenth of the weight.
NICENESS: Final = 10
_SESSION: Final = Path("/proc/self/autogroup")


def step_back(session: Path = _SESSION) -> None:
    """Let everything else on the machine run first; for a process that leads a session of its own, before its threads.

    A model uses every core it finds for as long as there is work. What stands beside it (a gateway that refuses, a gate
    that judges a sentence) wants a millisecond now and then, and whoever waits for it waits for the model otherwise.
    """
    os.nice(NICENESS)
    # Where the kernel shares the processor between sessions first, niceness counts within one only.
    with contextlib.suppress(OSError):
        session.write_text(str(NICENESS), encoding="ascii")
