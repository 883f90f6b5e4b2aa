"""Run a command that dies with its parent: `python leash.py PARENT COMMAND…`. Standard library only, run by path.

INVARIANT: the kernel, not a clean-up of ours, ends the command, so that even kill -9 of the supervisor leaves nothing.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Leash this process to its parent, then become the command: the leash survives `exec`."""
    parent, *command = argv
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the leash was on.
    if os.getppid() != int(parent):
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is the supervisor's own


if __name__ == "__main__":
    main(sys.argv[1:])
