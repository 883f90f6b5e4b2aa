"""`headrace dlq purge`: letters that nobody will work."""

import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headrace.cli.dlq import asking
from headrace.cli.dlq.asking import EXIT_STATUS, UNFINISHED, Error, Ids, Json, Since, Stage, Tenant, Topic, Until
from headrace.cli.dlq.progress import bar
from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.messaging.letters import Letter

if TYPE_CHECKING:
    from headrace.client.dead_letters.purge import Purge

_EPILOG: Final = f"""A purged letter leaves the list and can no more be redriven. Kafka deletes from the front of a
topic only: a letter is gone from the disk once every older one was redriven or purged, at the latest after the
retention of its topic (30 days).

{EXIT_STATUS}

Examples:

  headrace dlq purge k7mq x2p4                              two letters

  headrace dlq purge --error Undecodable --until 7d --yes   poison that is older than a week
"""


def register(group: typer.Typer) -> None:
    """Add `headrace dlq purge`."""
    group.command("purge", epilog=_EPILOG)(purge)


def purge(
    ids: Ids = None,
    *,
    stage: Stage = "",
    error: Error = "",
    tenant: Tenant = "",
    topic: Topic = "",
    since: Since = "",
    until: Until = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Give letters up for good."""
    wanted = asking.filter_of(stage=stage, error=error, tenant=tenant, topic=topic, since=since, until=until)
    asking.either(ids, wanted)
    bootstrap = asking.broker()
    try:
        found = asyncio.run(asking.find(bootstrap, ids, wanted))
    except Invalid as exc:
        fail(str(exc))
    found.tell_settled()
    chosen = found.open
    if not chosen:
        fail("no letter to purge: `headrace dlq list` shows what is open")
    if not yes:
        _confirm(len(chosen))
    from headrace.client.dead_letters.purge import Purge

    job, purged, stopped = Purge(), 0, ""
    try:
        purged = asyncio.run(_follow(job, bootstrap, chosen))
    except HeadraceError as exc:
        stopped = str(exc)
    if as_json:
        print_json({"purged": purged, "deleted": job.deleted, "stopped": stopped})
    elif not stopped:
        out.print(f"{purged} purged, {job.deleted} letters are gone from the disk", highlight=False)
    if stopped:
        err.print(f"stopped: {stopped}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(UNFINISHED)


async def _follow(job: "Purge", bootstrap: str, chosen: list[Letter]) -> int:
    purged = 0
    with bar("purge", len(chosen)) as advance:
        async with aclosing(job.run(bootstrap, chosen)) as batches:
            async for batch in batches:
                purged += len(batch)
                advance(len(batch))
    return purged


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        fail(f"{count} letters would be given up for good: say --yes", Exit.USAGE)
    if not typer.confirm(f"Give up {count} letters for good?", err=True):
        err.print("nothing was purged")
        raise typer.Exit(Exit.FAILED)
