"""What is made of a model's weights once, and kept beside them."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from headrace.messaging.errors import Fatal


def made_once(model_dir: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` in `model_dir`, filled by `make` where it is not there yet; whole or not at all.

    `Fatal` where it cannot be written. Safe to call from several processes at once: one makes it, the others wait.
    """
    made = model_dir / name
    if made.is_dir():
        return made
    with (model_dir / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            partial = model_dir / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            try:
                make(partial)
            except OSError as exc:
                shutil.rmtree(partial, ignore_errors=True)
                raise Fatal(
                    f"{made} could not be made: {exc}. Where the disk is full, make room, or set HEADRACE_CACHE_DIR to "
                    "a folder on another one"
                ) from exc
            partial.rename(made)
    return made
