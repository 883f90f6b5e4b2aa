"""`headrace topics`: bring a broker's topics to the plan."""

import asyncio
import os
from typing import Annotated

import typer

from headrace.cli.output import fail, out, print_json
from headrace.embedded.stack import KAFKA_BOOTSTRAP
from headrace.embedded.topics import ensure_topics


def register(root: typer.Typer) -> None:
    """Add `headrace topics`."""
    root.command("topics")(topics)


def topics(*, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Create missing topics, add partitions and set the configuration, as infra/kafka/topics.yaml says."""
    bootstrap = os.environ.get(KAFKA_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {KAFKA_BOOTSTRAP}")
    created = asyncio.run(ensure_topics(bootstrap))
    if as_json:
        print_json({"bootstrap": bootstrap, "created": created})
    else:
        out.print(f"{len(created)} topics created on {bootstrap}; all are as planned")
