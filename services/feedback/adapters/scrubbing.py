"""A scrubber in a process of its own: whoever knows personal data is another service, and no service knows another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import orjson

from headrace.messaging.errors import Fatal
from services.feedback.ports import Scrubbed

_LONGEST_LINE: Final = 16 * 1024 * 1024


class ProcessScrubber:
    """Speaks JSON by lines: a list of texts in, `{"texts": […], "masked": {kind: count}}` out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def scrub(self, texts: Sequence[str]) -> Scrubbed:
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101 - the same
        try:
            self._process.stdin.write(orjson.dumps(list(texts)) + b"\n")
            await self._process.stdin.drain()
            answer = orjson.loads(await self._process.stdout.readline())
            scrubbed = Scrubbed(tuple(answer["texts"]), answer["masked"])
        except (OSError, ValueError, KeyError, TypeError):
            raise _failed() from None
        if len(scrubbed.texts) != len(texts):
            raise _failed()
        return scrubbed


@asynccontextmanager
async def process_scrubber(command: Sequence[str]) -> AsyncIterator[ProcessScrubber]:
    """A scrubber for as long as the block lasts; `Fatal` where there is no command to run."""
    if not command:
        raise Fatal("HEADRACE_FEEDBACK_SCRUB_COMMAND names no command that masks personal data: nothing is exported")
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE
        )
    except OSError:
        raise _failed() from None
    try:
        yield ProcessScrubber(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _failed() -> Fatal:
    # Nobody's words: neither what was sent nor what came back.
    return Fatal("what masks personal data gave no answer, so nothing was exported: its error stands above")
