"""`headrace cache`: the response cache, seen and cleared."""

import typer

from headrace.cli.cache.clearing import EPILOG as CLEARING
from headrace.cli.cache.clearing import clear
from headrace.cli.cache.stats import EPILOG as STATS
from headrace.cli.cache.stats import stats


def register(root: typer.Typer) -> None:
    """Add `headrace cache` with its commands."""
    group = typer.Typer(help="The response cache: what it holds, how often it hits; clear it.", no_args_is_help=True)
    group.command("stats", epilog=STATS)(stats)
    group.command("clear", epilog=CLEARING)(clear)
    root.add_typer(group, name="cache")
