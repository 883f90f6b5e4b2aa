"""Shows one mutant and what becomes of it: `python -m tests.chaos.mutants --seed 1 --number 4711`."""

import argparse
import asyncio
import sys

from google.protobuf import text_format

from tests.chaos.mutants.in_memory import in_memory, memory_run
from tests.chaos.mutants.leaping import LeapingClock, LeapingLoop
from tests.chaos.mutants.mutant import Mutant, mutant
from tests.chaos.mutants.parseable import Parses, judged
from tests.chaos.mutants.quiet import silence

_SHOWN = 600


def main() -> int:
    """The mutant, the independent judgement of it, and what is wrong with what followed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--number", type=int, required=True)
    chosen = parser.parse_args()
    silence()
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(_show(chosen.seed, chosen.number))


async def _show(seed: int, number: int) -> int:
    shown = mutant(seed, number, LeapingClock().now_ms())
    _describe(shown)
    if not in_memory(shown):
        _say("read by no group: its readers need a broker, so it is sent in the runs on the broker only")
        return 0
    async with memory_run(seed) as run:
        await run.wave([shown], number)
    seen = run.seen
    _say(f"unparseable {seen.unparseable}, refused {seen.refused}, redriven {seen.redriven}; valid beside {seen.valid}")
    for sentence in seen.wrong:
        _say(f"wrong: {sentence}")
    return 1 if seen.wrong else 0


def _describe(shown: Mutant) -> None:
    _say(f"{shown.topic}: {', '.join(shown.faults)}")
    _say(f"key     {shown.key!r}"[:_SHOWN])
    for name, value in shown.headers:
        _say(f"header  {name!r}: {value!r}"[:_SHOWN])
    _say(f"value   {len(shown.value or b'')} bytes {shown.value!r}"[:_SHOWN])
    match judged(shown):
        case Parses(message) if message is not None:
            _say(f"parses as {message.DESCRIPTOR.full_name}:\n{text_format.MessageToString(message)}"[: 10 * _SHOWN])
        case other:
            _say(f"judged: {other}")


def _say(line: str) -> None:
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")


if __name__ == "__main__":
    sys.exit(main())
