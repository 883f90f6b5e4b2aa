"""Takes the time from the command that starts a stack to its first answer."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from headrace.bench.asking import load, questions
from headrace.embedded.ports import free_port
from headrace.messaging.errors import Fatal

_STOP_SECONDS: Final = 60.0
_LAST_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Start:
    """One start and its end; `parts` are the seconds until each part was ready, from when it was allowed to start."""

    cold: bool
    ready_seconds: float
    first_answer_seconds: float
    stop_seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)


async def start(*, cold: bool, timeout_s: float) -> Start:
    """Run a stack with data of its own, ask one question and stop it; `cold` fetches jars and weights anew."""
    environment = dict(os.environ)
    if not cold:
        return await _start(environment, cold=False, timeout_s=timeout_s)
    with TemporaryDirectory(prefix="headrace-bench-") as cache:
        return await _start({**environment, "HEADRACE_CACHE_DIR": cache}, cold=True, timeout_s=timeout_s)


async def _start(environment: Mapping[str, str], *, cold: bool, timeout_s: float) -> Start:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "headrace.cli.main", "up", "--ephemeral", "--json", "--port", str(free_port())),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        async with asyncio.timeout(timeout_s):
            url, parts = await _until_ready(process.stdout)
            ready_seconds = time.monotonic() - began
            run = await load(url, questions(1), 1)
        first_answer_seconds = time.monotonic() - began
    except TimeoutError:
        raise Fatal(
            f"no answer within {timeout_s:.0f} s of the start: run `headrace up` and see which part waits"
        ) from None
    finally:
        asked = time.monotonic()
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        # Nobody reads its lines any more: a full pipe would keep it from stopping.
        draining = asyncio.create_task(process.stdout.read())
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
        draining.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await draining
    (answer,) = run.answers
    if answer.outcome != "answered":
        raise Fatal(f"the first question ended as {answer.outcome}: see the logs of `headrace up`")
    return Start(cold, ready_seconds, first_answer_seconds, time.monotonic() - asked, parts)


async def _until_ready(lines: asyncio.StreamReader) -> tuple[str, dict[str, float]]:
    """Read what `headrace up --json` tells until all of it is ready."""
    parts: dict[str, float] = {}
    told: list[str] = []
    async for raw in lines:
        line = raw.decode(errors="replace").strip()
        told.append(line)
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if event.get("event") == "ready":
            return str(event["url"]), parts
        if event.get("event") == "part" and event.get("start_seconds") is not None:
            parts[event["name"]] = float(event["start_seconds"])
    ending = "".join(f"\n    {line}" for line in told[-_LAST_LINES:])
    raise Fatal(f"`headrace up` ended before it was ready; its last lines:{ending}")
