"""Many schedules in child processes, which hash strings alike, so that a seed means the same in each."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from tests.chaos.attack import Progress, Report

_TOGETHER: Final = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive seeds of one scenario."""

    scenario: str
    first: int
    count: int


async def run_batches(batches: Sequence[Batch], progress: Progress) -> list[Report]:
    """Run all of them, one on each core."""
    done, total = 0, sum(batch.count for batch in batches)
    free = asyncio.Semaphore(_TOGETHER)

    async def run(batch: Batch) -> Report:
        nonlocal done
        async with free:
            report = await _run(batch)
        done += batch.count
        progress(done, total, f"{batch.scenario} from seed {batch.first}")
        return report

    return await asyncio.gather(*(run(batch) for batch in batches))


async def _run(batch: Batch) -> Report:
    command = [sys.executable, "-m", "tests.chaos.sim", "--scenario", batch.scenario, "--seed", str(batch.first),
               "--count", str(batch.count), "--json"]  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await child.communicate()
    except BaseException:
        child.kill()
        await child.wait()
        raise
    try:
        told = orjson.loads(out)
    except orjson.JSONDecodeError:
        last = err.decode("utf-8", "replace").strip().splitlines()[-1:]
        return Report("a batch that ended early", violations=(f"{batch} ended early with {child.returncode}: {last}",))
    return Report(f"{batch.count} schedules", told["figures"], tuple(told["violations"]))
