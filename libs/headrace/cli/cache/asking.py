"""What both commands have in common: their options, and reaching the cache."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import typer

from headrace.cli.completing import model_names
from headrace.cli.output import Exit, fail
from headrace.messaging.errors import HeadraceError, Retryable
from headrace.stores.answers import CachedAnswers
from headrace.stores.redis import connect

_URL: Final = "HEADRACE_REDIS_URL"
EXIT_STATUS: Final = """Exit status: 0 done, 1 it went wrong, 2 the command line is wrong, 3 nothing runs that could
answer."""

Tenant = Annotated[str | None, typer.Option(help="Answers to this tenant; default: to all.")]
Model = Annotated[str | None, typer.Option(help="Answers of this model; default: of all.", autocompletion=model_names)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

T = TypeVar("T")


def with_answers(do: Callable[[CachedAnswers], Awaitable[T]], *, tenant: str | None, model: str | None) -> T:
    """Do it with the answers that are meant; what goes wrong ends the command."""
    url = os.environ.get(_URL)
    if not url:
        fail(f"no Redis: start `headrace up` in this directory or set {_URL}", Exit.NOT_RUNNING)

    async def reach() -> T:
        client = connect(url)
        try:
            return await do(CachedAnswers(client, tenant=tenant, model=model))
        finally:
            await client.aclose()

    try:
        return asyncio.run(reach())
    except Retryable as exc:
        fail(str(exc), Exit.NOT_RUNNING)
    except HeadraceError as exc:
        fail(str(exc))
    except ValueError:
        # Its text may hold the password.
        fail(f"{_URL} is no address of a Redis: write it like redis://host:6379/0", Exit.USAGE)
