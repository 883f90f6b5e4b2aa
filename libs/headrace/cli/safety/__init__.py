"""`headrace safety`: what a policy makes of a text, and whether it does what its examples say."""

import typer

from headrace.cli.safety import check, examples


def register(root: typer.Typer) -> None:
    """Add `headrace safety` with its commands."""
    group = typer.Typer(help="Policies: ask one about a text, run its examples.", no_args_is_help=True)
    group.command("check", epilog=check.EPILOG)(check.check)
    group.command("test", epilog=examples.EPILOG)(examples.run_examples)
    root.add_typer(group, name="safety")
