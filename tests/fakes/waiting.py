"""Waiting for what will come, with a limit that names it."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable


async def until(what: str, condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Poll until the condition is truthy; after the limit, say what was waited for."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = condition()
                value = await found if isawaitable(found) else found
                if value:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s} s for: {what}") from None
