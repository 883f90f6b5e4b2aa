"""A command that runs to its end before a stack goes on."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from headrace.embedded.process import LEASH, session
from headrace.messaging.errors import Fatal

# Shows what a part, by its name, is busy with.
Note = Callable[[str, str], None]


async def run_step(name: str, command: Sequence[str], log: Path, line_written: Callable[[str], None]) -> None:
    """Run a command to its end, its output in a log and its latest line shown; `Fatal` when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    lines: list[str] = []
    try:
        with log.open("ab") as output:
            async for raw in process.stdout:
                output.write(raw)
                output.flush()
                if line := raw.decode("utf-8", "replace").strip():
                    lines.append(line)
                    line_written(line)
        code = await process.wait()
    finally:
        if process.returncode is None:
            for pid in session(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await process.wait()
    if code:
        ending = "".join(f"\n    {line}" for line in lines[-20:])
        raise Fatal(f"{name} ended with status {code}; its log is {log} and ends:{ending}")
