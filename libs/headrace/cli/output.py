"""How every command speaks: tables for people, JSON for scripts, and an exit status that says who is to act."""

import sys
from enum import IntEnum
from typing import Any, Final, NoReturn

import orjson
import structlog
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console()
err = Console(stderr=True)
FIGURES_WIDTH: Final = 150


class Exit(IntEnum):
    """What the exit status says."""

    DONE = 0
    # It went wrong here: the text says what to do.
    FAILED = 1
    # The command line was wrong; typer's own.
    USAGE = 2
    # Nothing runs that could answer.
    NOT_RUNNING = 3


def log_to_stderr() -> None:
    """What libraries log on the way is not a command's result, which scripts read from standard output."""
    # Looked up each time: whoever embeds the command line may have put another stream there.
    structlog.configure(logger_factory=lambda *_arguments: structlog.PrintLogger(sys.stderr))


def print_figures(table: Table) -> None:
    """A table of figures, whole: also where it goes into a file, or a window is narrower than it."""
    Console(width=max(out.width, FIGURES_WIDTH)).print(table)


def print_json(content: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(orjson.dumps(content).decode() + "\n")
    sys.stdout.flush()


def fail(text: str, status: Exit = Exit.FAILED) -> NoReturn:
    """Say on standard error what is wrong and what to do next, and end."""
    err.print(f"[bold red]error[/] {escape(text)}", soft_wrap=True)
    raise typer.Exit(status)
