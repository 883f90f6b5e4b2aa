import sys

import pytest

from headrace.cli.main import build


def _commands(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> set[str]:
    monkeypatch.setattr(sys, "argv", ["headrace", *arguments])
    root = build()
    return {str(command.name) for command in root.registered_commands} | {
        str(group.name) for group in root.registered_groups
    }


def test_only_the_command_that_was_asked_for_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _commands(monkeypatch, "status", "--json") == {"status"}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("nonsense",)])
def test_every_command_is_listed_where_none_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert {"up", "status", "topics", "ingest", "classify", "trace", "models"} <= _commands(monkeypatch, *arguments)
