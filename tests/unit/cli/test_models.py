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


def test_what_would_be_trained_here_can_be_left_out(cli: typer.Typer, tmp_path: Path) -> None:
    nowhere = {"package": "no-such-package", "version": "1", "sha256": "0" * 64}
    data = {"type": "pypi", "wheels": [nowhere], "files": [{"path": "x", "members": ["x"]}]}
    head = {name: value for name, value in SPEC.items() if name not in {"engine", "mock"}}
    trained = {
        **head, "name": "trained", "task": "classify", "encoder": "vectors",
        "labels": [{"name": "good"}, {"name": "bad"}],
        "source": {"type": "trained", "reader": "vader", "data": data},
    }  # fmt: skip
    vectors = {**head, "name": "vectors", "task": "embed", "on_demand": True}
    for described in (trained, vectors):
        (tmp_path / "models" / f"{described['name']}.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    pulled = CliRunner().invoke(cli, ["models", "pull", "--without-training", "--json"])
    assert list(orjson.loads(pulled.stdout)) == ["small"]
