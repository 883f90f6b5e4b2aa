"""`headrace train`: models of one's own."""

import typer

from headrace.cli.train.classifier import EPILOG, train_classifier


def register(root: typer.Typer) -> None:
    """Add `headrace train` with its commands."""
    group = typer.Typer(help="Train models of your own.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("classifier", epilog=EPILOG)(train_classifier)
    root.add_typer(group, name="train")
