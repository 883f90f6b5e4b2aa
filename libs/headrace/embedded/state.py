"""What runs in a data directory, told to other commands: a file, and a lock that dies with its holder."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headrace.embedded.supervisor import Status
from headrace.messaging.errors import Fatal
from headrace.runtime.paths import data_dir

STATE_FILE = "up.json"
LOCK_FILE = "up.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the data directory for one stack; `Fatal` when another runs in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Fatal(
                f"another stack (process {lock.read().strip() or 'unknown'}) runs in {folder}: stop it, "
                "or start this one with --ephemeral or with another HEADRACE_DATA_DIR"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            (folder / STATE_FILE).unlink(missing_ok=True)
            lock.truncate(0)


def write(folder: Path, *, ready: bool, url: str, environment: Mapping[str, str], statuses: Sequence[Status]) -> None:
    """Write the state, whole or not at all."""
    content = {
        "pid": os.getpid(),
        "ready": ready,
        "url": url,
        "environment": dict(environment),
        "parts": [asdict(status) for status in statuses],
    }
    fresh = folder / f"{STATE_FILE}.new"
    # It holds Ray's token.
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
    fresh.rename(folder / STATE_FILE)


def read(folder: Path | None = None) -> dict[str, Any] | None:
    """The state of the stack that runs in a data directory; None when none does."""
    folder = folder or data_dir()
    try:
        state: dict[str, Any] = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        with (folder / LOCK_FILE).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return state
    except (OSError, ValueError):
        return None
    # Nobody holds the lock: the file is what a killed stack left.
    return None


def unset_addresses(folder: Path | None = None) -> dict[str, str]:
    """The addresses of the stack that runs here, as far as the environment names no others."""
    environment: dict[str, str] = (read(folder) or {}).get("environment") or {}
    return {key: value for key, value in environment.items() if key not in os.environ}
