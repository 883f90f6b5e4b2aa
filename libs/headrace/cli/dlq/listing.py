"""`headrace dlq list`: what died, where and of what."""

import asyncio
from typing import Annotated, Final

import typer

from headrace.cli.dlq import asking, tables
from headrace.cli.dlq.asking import EXIT_STATUS, Error, Json, Since, Stage, Tenant, Topic, Until
from headrace.cli.output import Exit, err, fail, print_json
from headrace.client.dead_letters.choice import State
from headrace.messaging.errors import Invalid

_EPILOG: Final = f"""{EXIT_STATUS}

Examples:

  headrace dlq list                                     what is open, the latest last

  headrace dlq list --summary --all                     how many of what, with what was done already

  headrace dlq list --stage inference --since 2h        what the model's stage gave up in the last two hours

  headrace dlq list --error Undecodable --json          poison, for a script
"""


def register(group: typer.Typer) -> None:
    """Add `headrace dlq list`."""
    group.command("list", epilog=_EPILOG)(list_letters)


def list_letters(
    *,
    stage: Stage = "",
    error: Error = "",
    tenant: Tenant = "",
    topic: Topic = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=0, help="The latest so many; 0: all.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="Also those that were redriven or purged.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Counts by stage and error.")] = False,
    as_json: Json = False,
) -> None:
    """Show the dead letters that are open, the latest last."""
    wanted = asking.filter_of(stage=stage, error=error, tenant=tenant, topic=topic, since=since, until=until)
    states = frozenset(State) if every else frozenset({State.OPEN})
    try:
        found = asyncio.run(asking.find(asking.broker(), None, wanted, states=states))
    except Invalid as exc:
        fail(str(exc))
    shown = found.letters[-limit:] if limit and not summary else found.letters
    if as_json and summary:
        counts = tables.counted(shown, found.done)
        moments = ("first", "last")
        print_json(
            {
                "total": len(shown),
                "counts": [
                    {key: value for key, value in row.items() if not key.endswith("_ms")}
                    | {f"{name}_died_at": tables.utc(row[f"{name}_ms"]) for name in moments}
                    for row in counts
                ],
            }
        )
    elif as_json:
        letters = [tables.as_json(letter, found.done.get(letter.id)) for letter in shown]
        print_json({"total": len(found.letters), "letters": letters})
    elif shown:
        screen = tables.screen()
        if summary:
            screen.print(tables.summary_table(shown, found.done))
        else:
            tables.print_lines(tables.letters_lines(shown, found.done, width=screen.width))
        if len(shown) < len(found.letters):
            err.print(f"the latest {len(shown)} of {len(found.letters)}; --limit 0 shows all", highlight=False)
    if not found.letters:
        if not as_json:
            err.print(f"no dead letters{'' if wanted.empty else ' like that'}{'' if every else ' are open'}")
        raise typer.Exit(Exit.FAILED)
