import re
import sys

import pytest
from typer.testing import CliRunner

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
    assert {"up", "status", "topics", "ingest", "classify", "trace", "models", "dlq"} <= _commands(
        monkeypatch, *arguments
    )


def _completed(monkeypatch: pytest.MonkeyPatch, line: str) -> set[str]:
    words = line.split(" ")
    for name, value in (
        ("_HEADRACE_COMPLETE", "complete_bash"),
        ("COMP_WORDS", line),
        ("COMP_CWORD", str(len(words) - 1)),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["headrace"])
    result = CliRunner().invoke(build(), prog_name="headrace")
    return set(result.stdout.split())


def test_a_shell_completes_commands_and_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _completed(monkeypatch, "headrace d") == {"dlq"}
    assert _completed(monkeypatch, "headrace dlq re") == {"redrive"}
    assert _completed(monkeypatch, "headrace dlq redrive --from-stage p") == {"preprocessing", "postprocessing"}


def test_a_shell_completes_models_and_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _completed(monkeypatch, "headrace cache stats --model smol") == {"smollm2-135m-instruct"}
    assert _completed(monkeypatch, "headrace models show moc") == {"mock"}
    assert _completed(monkeypatch, "headrace feedback report --pipeline ch") == {"chat"}
    assert _completed(monkeypatch, "headrace feedback export --format c") == {"chat"}


def test_a_shell_that_completes_a_command_imports_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_HEADRACE_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "headrace dlq list --st")
    assert _commands(monkeypatch) == {"dlq"}


def test_it_says_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["headrace", "--version"])
    result = CliRunner().invoke(build(), ["--version"], prog_name="headrace")
    assert result.exit_code == 0
    assert re.fullmatch(r"headrace \d+(\.\d+)*\n", result.stdout)
