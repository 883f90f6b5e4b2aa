"""`headrace dlq`: dead letters, seen, mended, sent back and given up."""

import typer

from headrace.cli.dlq.listing import register as register_list
from headrace.cli.dlq.purging import register as register_purge
from headrace.cli.dlq.redriving import register as register_redrive
from headrace.cli.dlq.showing import register as register_show


def register(root: typer.Typer) -> None:
    """Add `headrace dlq` with its commands."""
    group = typer.Typer(help="Work dead letters: list, show, redrive, purge.", no_args_is_help=True)
    for add in (register_list, register_show, register_redrive, register_purge):
        add(group)
    root.add_typer(group, name="dlq")
