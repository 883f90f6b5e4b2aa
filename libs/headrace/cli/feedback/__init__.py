"""`headrace feedback`: what people say of answers, as a report and as examples to train on."""

import typer

from headrace.cli.feedback.export import EPILOG as EXPORTING
from headrace.cli.feedback.export import export
from headrace.cli.feedback.report import EPILOG as REPORTING
from headrace.cli.feedback.report import report


def register(root: typer.Typer) -> None:
    """Add `headrace feedback` with its commands."""
    group = typer.Typer(help="What people say of answers: report it, export it for training.", no_args_is_help=True)
    group.command("report", epilog=REPORTING)(report)
    group.command("export", epilog=EXPORTING)(export)
    root.add_typer(group, name="feedback")
