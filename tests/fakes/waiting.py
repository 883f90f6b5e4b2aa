"""Waiting for what will come, with a limit that names it."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")


async def until(what: str, condition: Callable[[], T | Awaitable[T]], timeout_s: float = 20.0) -> T:
    """Poll until the condition is truthy and return it; after the limit, say what was waited for."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = condition()
                value = await found if isawaitable(found) else found
                if value:
                    return value
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s} s for: {what}") from None
