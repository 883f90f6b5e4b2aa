"""`headrace models` over a registry of a test's own."""

from pathlib import Path

import orjson
import pytest
import typer
import yaml
from typer.testing import CliRunner

from headrace.cli import models

SPEC = {
    "name": "small",
    "task": "chat",
    "source": {"type": "builtin"},
    "revision": "1",
    "engine": "mock",
    "mock": {"text": "Hello."},
    "limits": {"context_window": 100, "max_new_tokens": 50},
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("HEADRACE_INFRA_DIR", str(tmp_path))
    monkeypatch.setenv("HEADRACE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()
    for changes in ({}, {"name": "large", "on_demand": True}):
        path = tmp_path / "models" / f"{ {**SPEC, **changes}['name'] }.yaml"
        path.write_text(yaml.safe_dump({**SPEC, **changes}), encoding="utf-8")
    root = typer.Typer()
    root.callback()(lambda: None)
    models.register(root)
    return root


def test_what_is_fetched_on_demand_is_not_fetched_with_all_the_others(cli: typer.Typer) -> None:
    run = CliRunner()
    assert list(orjson.loads(run.invoke(cli, ["models", "pull", "--json"]).stdout)) == ["small"]
    assert [row["fetched"] for row in orjson.loads(run.invoke(cli, ["models", "list", "--json"]).stdout)] == [
        False,
        True,
    ]
    assert list(orjson.loads(run.invoke(cli, ["models", "pull", "large", "--json"]).stdout)) == ["large"]
