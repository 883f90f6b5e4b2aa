"""`headrace prompts`: what models are told."""

import typer

from headrace.cli.prompts import comparing, rendering, showing


def register(root: typer.Typer) -> None:
    """Add `headrace prompts` with its commands."""
    group = typer.Typer(help="Prompt templates: list, show, render and compare them.", no_args_is_help=True)
    group.command("list", epilog=showing.LIST_EPILOG)(showing.list_prompts)
    group.command("show", epilog=showing.EPILOG)(showing.show_prompt)
    group.command("render", epilog=rendering.EPILOG)(rendering.render_prompt)
    group.command("diff", epilog=comparing.EPILOG)(comparing.diff_prompts)
    root.add_typer(group, name="prompts")
