"""`headrace dlq redrive`: back to where they came from, once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, assert_never

import typer
from rich.table import Table
from rich.text import Text

from headrace.cli.dlq import asking, tables
from headrace.cli.dlq.asking import (
    EXIT_STATUS,
    UNFINISHED,
    Error,
    FromStage,
    Ids,
    Json,
    Since,
    Stage,
    Tenant,
    Topic,
    Until,
)
from headrace.cli.dlq.moments import per_second
from headrace.cli.dlq.progress import bar
from headrace.cli.dlq.text import one_line, short_topic
from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.client.dead_letters.plan import Wish
from headrace.client.dead_letters.repair import Repair
from headrace.client.dead_letters.route import STAGES
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines

if TYPE_CHECKING:
    from headrace.client.dead_letters.redrive import Outcome, Redriven, Refused

# So many letters are named beside the reason for which they were refused; --json names all.
_NAMED: Final = 5
_EPILOG: Final = f"""Without --from-stage a letter goes to the topic and partition that it came from, with its key,
headers and trace. It gets more time, and its tries count anew. A redriven letter leaves the list; one that dies again
is listed anew. Interrupted, run it again: what went out and the note of it are one transaction.

{EXIT_STATUS}

Examples:

  headrace dlq redrive k7mq x2p4                               two letters

  headrace dlq redrive --stage inference --since 2h --dry-run  what would go where

  headrace dlq redrive --stage inference --limit 1             try with the oldest first

  headrace dlq redrive --stage inference --rate 5/s            then the rest, gently

  headrace dlq redrive k7mq --from-stage grounding             a turn, with sources sought anew

  headrace dlq redrive k7mq --edit-from turn.json              mended, as `show --message` printed it
"""


def register(group: typer.Typer) -> None:
    """Add `headrace dlq redrive`."""
    group.command("redrive", epilog=_EPILOG)(redrive)


@dataclass(slots=True)
class Tally:
    """What became of the letters."""

    redriven: "list[Redriven]" = field(default_factory=list)
    refused: "list[Refused]" = field(default_factory=list)
    settled: int = 0
    stopped: str = ""


def redrive(
    ids: Ids = None,
    *,
    stage: Stage = "",
    error: Error = "",
    tenant: Tenant = "",
    topic: Topic = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=0, help="The oldest so many; 0: all.")] = 0,
    from_stage: FromStage = "",
    rate: Annotated[str, typer.Option(help="At most so many: 5/s, 100/m.")] = "",
    deadline: Annotated[
        float | None, typer.Option(min=1, help="Seconds that a turn gets from now on. Default: its pipeline's.")
    ] = None,
    value: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Mended bytes, for one letter.")
    ] = None,
    edit_from: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The message as edited JSON, for one letter.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="name=value puts a header right, name alone takes it away; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go where, and send nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Send letters back, each once, however often this is interrupted and repeated."""
    wanted = asking.filter_of(stage=stage, error=error, tenant=tenant, topic=topic, since=since, until=until)
    asking.either(ids, wanted)
    if from_stage and from_stage not in STAGES:
        fail(f"there is no stage {from_stage!r}: use one of {', '.join(STAGES)}", Exit.USAGE)
    if value and edit_from:
        fail("--value and --edit-from exclude each other", Exit.USAGE)
    if (value or edit_from) and len(ids or ()) != 1:
        fail("--value and --edit-from mend one letter: name it by its id", Exit.USAGE)
    try:
        speed = per_second(rate) if rate else None
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)
    repair = Repair(
        value=value.read_bytes() if value else None,
        edited=edit_from.read_bytes() if edit_from else None,
        headers=[_header(text) for text in header or ()],
    )
    wish = Wish(from_stage, deadline, repair)
    bootstrap = asking.broker()
    try:
        found = asyncio.run(asking.find(bootstrap, ids, wanted))
    except Invalid as exc:
        fail(str(exc))
    found.tell_settled()
    chosen = found.open[:limit] if limit else found.open
    if not chosen:
        fail("no letter to redrive: `headrace dlq list` shows what is open")
    from headrace.client.dead_letters.redrive import Redrive

    job = Redrive(wish, Pipelines.load(infra_dir() / "pipelines"), per_second=speed)
    outcomes = job.preview(bootstrap, chosen) if dry_run else job.run(bootstrap, chosen)
    tally = Tally()
    try:
        asyncio.run(_follow(outcomes, len(chosen), tally))
    except KeyboardInterrupt:
        tally.stopped = "interrupted"
    except HeadraceError as exc:
        tally.stopped = str(exc)
    _tell(tally, dry_run=dry_run, as_json=as_json, of=len(chosen))
    if tally.stopped or tally.refused:
        raise typer.Exit(UNFINISHED)


async def _follow(outcomes: "AsyncGenerator[Outcome, None]", total: int, tally: Tally) -> None:
    from headrace.client.dead_letters.redrive import Redriven, Refused, Settled

    with bar("redrive", total) as advance:
        async with aclosing(outcomes):
            async for outcome in outcomes:
                match outcome:
                    case Redriven():
                        tally.redriven.append(outcome)
                    case Refused():
                        tally.refused.append(outcome)
                    case Settled():
                        tally.settled += 1
                    case never:
                        assert_never(never)
                advance(1)


def _tell(tally: Tally, *, dry_run: bool, as_json: bool, of: int) -> None:
    if as_json:
        print_json(_as_json(tally, dry_run=dry_run))
    else:
        if dry_run and tally.redriven:
            screen = tables.screen()
            screen.print(_preview(tally.redriven))
        verb = "would be redriven" if dry_run else "redriven"
        settled = f", {tally.settled} by somebody else meanwhile" if tally.settled else ""
        out.print(f"{len(tally.redriven)} of {of} {verb}, {len(tally.refused)} refused{settled}", highlight=False)
    reasons: dict[str, list[str]] = defaultdict(list)
    for refused in tally.refused:
        reasons[refused.reason].append(refused.letter.id)
    for reason, ids in reasons.items():
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        err.print(Text.assemble((f"{', '.join(ids[:_NAMED])}{more}", "yellow"), f": {reason}"), soft_wrap=True)
    if tally.stopped:
        err.print(Text.assemble(("stopped", "red"), f": {tally.stopped}"), soft_wrap=True)


def _preview(redriven: "Sequence[Redriven]") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("id", "stage", "error", "to"):
        table.add_column(name, no_wrap=True)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("doubt", overflow="fold")
    for each in redriven:
        letter, onward = each.letter, each.planned.onward
        place = "" if onward.partition is None else f"/{onward.partition}"
        table.add_row(
            Text(letter.id, "bold"),
            Text(one_line(letter.stage, 20)),
            Text(one_line(letter.error, 40), "yellow"),
            Text(short_topic(onward.topic) + place),
            f"{len(onward.value or b''):,}",
            Text(f"dies again: {each.planned.doubt}" if each.planned.doubt else ""),
        )
    return table


def _as_json(tally: Tally, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "redriven": [
            {"id": each.letter.id, "topic": each.planned.onward.topic, "doubt": each.planned.doubt}
            for each in tally.redriven
        ],
        "topics": dict(Counter(each.planned.onward.topic for each in tally.redriven)),
        "refused": [{"id": each.letter.id, "reason": each.reason} for each in tally.refused],
        "settled": tally.settled,
        "stopped": tally.stopped,
    }


def _header(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name.strip():
        fail(f"--header {text!r} names no header: write name=value", Exit.USAGE)
    return name.strip(), value if equals else None
