"""A process that takes a share of the mutants: `python -m tests.chaos.mutants.worker --seed 1 --first 0 --count 5000`.

It prints a JSON object a wave, the last of which says all that was seen.
"""

import argparse
import asyncio
import dataclasses
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

from tests.chaos.mutants.in_memory import Seen, in_memory, memory_run
from tests.chaos.mutants.leaping import LeapingClock, LeapingLoop
from tests.chaos.mutants.mutant import Mutant, mutant
from tests.chaos.mutants.quiet import silence

WAVE: Final = 2_500
_LINE_BYTES: Final = 16 * 1024 * 1024


async def shares(seed: int, first: int, count: int) -> AsyncIterator[dict[str, Any]]:
    """Run a process for these numbers; yields what it has seen so far, after each wave."""
    command = (sys.executable, "-m", __name__, "--seed", str(seed), "--first", str(first), "--count", str(count))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=_LINE_BYTES
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            yield json.loads(line)
        if await process.wait():
            raise RuntimeError(f"{' '.join(command)} ended: {(await errors).decode()[-2_000:]}")
    finally:
        errors.cancel()
        if process.returncode is None:
            process.terminate()
            await process.wait()


def main() -> None:
    """Run the share."""
    parser = argparse.ArgumentParser(prog=f"python -m {__name__}")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    chosen = parser.parse_args()
    silence()
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(_run(chosen.seed, chosen.first, chosen.count))


async def _run(seed: int, first: int, count: int) -> None:
    async with memory_run(seed) as run:
        number = first
        while run.seen.mutants < count:
            wave: list[Mutant] = []
            now_ms = LeapingClock().now_ms()
            begun = number
            while len(wave) < min(WAVE, count - run.seen.mutants):
                made = mutant(seed, number, now_ms)
                number += 1
                if in_memory(made):
                    wave.append(made)
            goes_on = await run.wave(wave, begun)
            _tell(run.seen)
            if not goes_on:
                return


def _tell(seen: Seen) -> None:
    sys.stdout.write(json.dumps(dataclasses.asdict(seen)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
