"""`headrace classify`: a file of texts, each into one class."""

import typer

from headrace.cli.classify.command import EPILOG, classify_file


def register(root: typer.Typer) -> None:
    """Add `headrace classify`."""
    root.command("classify", epilog=EPILOG)(classify_file)
