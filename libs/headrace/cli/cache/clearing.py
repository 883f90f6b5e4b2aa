"""`headrace cache clear`: answers that are not to be given again."""

import sys
from typing import Annotated, Final

import typer

from headrace.cli.cache.asking import EXIT_STATUS, Json, Model, Tenant, with_answers
from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.stores.answers import CachedAnswers

EPILOG: Final = f"""Nothing has to be cleared after a change: model, adapter, template, policy, corpus and sampling are
part of an answer's key, so a changed one has other keys. This is for answers that should not be told again, and for
memory. An answer that is in the making may be kept right after. Counters stay.

{EXIT_STATUS}

Examples:

  headrace cache clear --tenant acme

  headrace cache clear --model smollm2-135m-instruct --dry-run

  headrace cache clear --all --yes --json
"""


def clear(
    *,
    tenant: Tenant = None,
    model: Model = None,
    every: Annotated[bool, typer.Option("--all", help="All answers, of all tenants and models.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be cleared, and clear nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete cached answers."""
    if every == (tenant is not None or model is not None):
        fail("which? Choose by --tenant or --model, or take --all", Exit.USAGE)

    async def counted(answers: CachedAnswers) -> int:
        return sum(group.answers for group in await answers.groups())

    async def deleted(answers: CachedAnswers) -> int:
        return sum([gone async for gone in answers.clear()])

    found = with_answers(counted, tenant=tenant, model=model)
    if found and not dry_run and not yes:
        _confirm(found)
    cleared = 0 if dry_run or not found else with_answers(deleted, tenant=tenant, model=model)
    if as_json:
        print_json({"found": found, "cleared": cleared})
    elif dry_run:
        out.print(f"{found:,} answers would be cleared", highlight=False)
    else:
        out.print(f"{cleared:,} answers cleared", highlight=False)


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        fail(f"{count:,} answers would be cleared: say --yes", Exit.USAGE)
    if not typer.confirm(f"Clear {count:,} answers?", err=True):
        err.print("nothing was cleared")
        raise typer.Exit(Exit.FAILED)
