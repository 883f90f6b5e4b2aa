"""Every command helps alike: examples, what its exit status says, and JSON for scripts."""

import sys

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from headrace.cli.main import build


def commands() -> dict[str, tuple[str, set[str]]]:
    """Each command by its words: its epilog and its options."""
    before, sys.argv = sys.argv, ["headrace"]
    try:
        root = get_command(build())
    finally:
        sys.argv = before
    found: dict[str, tuple[str, set[str]]] = {}

    def walk(command: object, words: tuple[str, ...]) -> None:
        if children := getattr(command, "commands", None):
            for name, child in children.items():
                walk(child, (*words, name))
            return
        options = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
        found[" ".join(words)] = (getattr(command, "epilog", None) or "", options)

    walk(root, ())
    return found


COMMANDS = commands()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_examples_that_begin_with_it(command: str) -> None:
    epilog, _ = COMMANDS[command]
    examples = epilog.partition("Examples:")[2]
    assert f"headrace {command}" in examples


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_its_exit_status_means_and_speaks_json(command: str) -> None:
    epilog, options = COMMANDS[command]
    assert "Exit status:" in epilog
    assert "--json" in options


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_shown(command: str) -> None:
    result = CliRunner().invoke(_root(), [*command.split(), "--help"])
    assert result.exit_code == 0, result.output
    assert "Examples:" in result.stdout


def _root() -> typer.Typer:
    before, sys.argv = sys.argv, ["headrace"]
    try:
        return build()
    finally:
        sys.argv = before
