"""`headrace`: the command line. A module per command; each adds itself by `register`."""

import os
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Final

import typer

from headrace import cli
from headrace.cli.output import Exit, err, log_to_stderr
from headrace.embedded import state
from headrace.messaging.errors import HeadraceError, Unreachable
from headrace.runtime.version import own_version

# Set by the shell's completion, which `--install-completion` installs.
_COMPLETE: Final = "_HEADRACE_COMPLETE"


def build() -> typer.Typer:
    """The root with every command."""
    root = typer.Typer(
        name="headrace",
        help="The log between your prompts and your GPUs.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    root.callback()(find_the_stack)
    for name in _asked_for(_typed()):
        if register := getattr(import_module(f"headrace.cli.{name}"), "register", None):
            register(root)
    return root


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - the signature that typer calls
    if wanted:
        typer.echo(f"headrace {own_version()}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
]


def find_the_stack(_version: Version = False) -> None:  # noqa: FBT002 - typer makes an option of it
    """The log between your prompts and your GPUs."""
    log_to_stderr()
    # A command reaches the stack that `headrace up` runs in this directory without being told its addresses.
    if "up" not in sys.argv[1:2]:
        os.environ.update(state.unset_addresses())


def _typed() -> list[str]:
    """The arguments, or what stands on the line that a shell asks to complete."""
    if _COMPLETE in os.environ:
        return (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()[1:]
    return sys.argv[1:]


def _asked_for(arguments: list[str]) -> list[str]:
    """The module of the command that was asked for, which has its name; all of them where help is to list them."""
    # Itself would be imported twice when it runs as a program.
    names = [found.name for found in iter_modules(cli.__path__) if found.name != "main"]
    return arguments[:1] if arguments[:1] and arguments[0] in names else names


def main() -> None:
    """Run the command line; an error of ours is a sentence, not a traceback."""
    try:
        build()()
    except HeadraceError as exc:
        err.print(f"error: {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(Exit.NOT_RUNNING if isinstance(exc, Unreachable) else Exit.FAILED)


if __name__ == "__main__":
    main()
