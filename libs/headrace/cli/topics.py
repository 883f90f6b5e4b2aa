"""`headrace topics`: bring a broker's topics to the plan."""

import asyncio
import os
from typing import Annotated, Final

import typer

from headrace.cli.output import Exit, fail, out, print_json
from headrace.embedded.stack import KAFKA_BOOTSTRAP
from headrace.embedded.topics import ensure_topics
from headrace.messaging.reaching import reach, reaching

_EPILOG: Final = """It may be run again and again: what is as planned is left alone, and nothing is ever deleted.

Exit status: 0 all are as planned, 1 it went wrong, 3 no broker is named, or none answers.

Examples:

  headrace topics

  HEADRACE_KAFKA_BOOTSTRAP=kafka:9092 HEADRACE_KAFKA_REPLICATION=3 headrace topics --json
"""


def register(root: typer.Typer) -> None:
    """Add `headrace topics`."""
    root.command("topics", epilog=_EPILOG)(topics)


def topics(*, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Create missing topics, add partitions and set the configuration, as infra/kafka/topics.yaml says."""
    bootstrap = os.environ.get(KAFKA_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {KAFKA_BOOTSTRAP}", Exit.NOT_RUNNING)
    created = asyncio.run(_ensured(bootstrap))
    if as_json:
        print_json({"bootstrap": bootstrap, "created": created})
    else:
        out.print(f"{len(created)} topics created on {bootstrap}; all are as planned")


async def _ensured(bootstrap: str) -> tuple[str, ...]:
    await reach(bootstrap)
    with reaching(bootstrap):
        return await ensure_topics(bootstrap)
