import asyncio

import orjson
import pytest

from headrace.bench.starting import _until_ready
from headrace.messaging.errors import Fatal


def told(*events: object) -> asyncio.StreamReader:
    """The output of a process that said these lines and ended."""
    lines = asyncio.StreamReader()
    for event in events:
        lines.feed_data((event if isinstance(event, bytes) else orjson.dumps(event)) + b"\n")
    lines.feed_eof()
    return lines


async def test_a_stack_is_ready_when_it_says_so_and_its_parts_say_how_long_they_took() -> None:
    lines = told(
        {"event": "part", "name": "kafka", "state": "starting", "start_seconds": None},
        b"a line of somebody else",
        {"event": "part", "name": "kafka", "state": "ready", "start_seconds": 0.8},
        {"event": "ready", "url": "http://127.0.0.1:1/", "seconds": 9.0},
    )
    assert await _until_ready(lines) == ("http://127.0.0.1:1/", {"kafka": 0.8})


async def test_a_stack_that_ends_before_it_is_ready_is_quoted() -> None:
    with pytest.raises(Fatal, match="port 8080 is taken"):
        await _until_ready(told(b"error port 8080 is taken"))
