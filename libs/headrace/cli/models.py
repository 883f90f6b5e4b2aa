"""`headrace models`: which models there are, where they lie, and fetching them."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from headrace.cli.completing import model_names
from headrace.models.fetch import is_prepared, model_dir, prepare
from headrace.models.registry import Registry, load_registry
from headrace.models.spec import ModelSpec, TrainedSource
from headrace.runtime.paths import infra_dir

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_EXIT_STATUS: Final = "Exit status: 0 done, 1 it went wrong, 2 the command line is wrong."


def _epilog(*examples: str) -> str:
    return "\n\n".join((_EXIT_STATUS, "Examples:", *(f"  {example}" for example in examples)))


Name = Annotated[str, typer.Argument(help="A model of infra/models.", show_default=False, autocompletion=model_names)]


def register(root: typer.Typer) -> None:
    """Add `models` to the command line."""
    models = typer.Typer(no_args_is_help=True, help="Models: list them, show one, fetch weights.")
    models.command("list", epilog=_epilog("headrace models list", "headrace models list --json"))(list_models)
    models.command("show", epilog=_epilog("headrace models show all-minilm-l6-v2"))(show_model)
    models.command("pull", epilog=_epilog("headrace models pull", "headrace models pull mock --force"))(pull_models)
    root.add_typer(models, name="models")


def list_models(as_json: AsJson = False) -> None:  # noqa: FBT002 - typer makes an option of it
    """List all models, and whether their weights are on this machine."""
    registry = _registry()
    rows = [_facts(registry.get(name)) for name in registry.names]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    columns = ("name", "task", "engine", "source", "revision", "fetched")
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(("yes" if cell else "no") if isinstance(cell := row[key], bool) else cell for key in columns))
    Console().print(table)


def show_model(name: Name, as_json: AsJson = False) -> None:  # noqa: FBT002 - typer makes an option of it
    """Show all that is known of one model."""
    spec = _registry().get(name)
    facts = _facts(spec)
    details = {**spec.model_dump(mode="json"), "fetched": facts["fetched"], "folder": facts["folder"]}
    if as_json:
        print(json.dumps(details, indent=2))
        return
    for key, value in details.items():
        Console().print(f"[bold]{key}[/]", value if isinstance(value, str) else json.dumps(value))


def pull_models(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models; none: all but those that are fetched when they are named.", autocompletion=model_names
        ),
    ] = None,
    *,
    without_training: Annotated[
        bool, typer.Option("--without-training", help="Leave out what would be trained on this machine.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch and verify weights; what is there already is left alone."""
    registry = _registry()
    folders: dict[str, str] = {}
    for name in names or [name for name in registry.names if not registry.get(name).on_demand]:
        spec = registry.get(name)
        if without_training and isinstance(spec.source, TrainedSource):
            continue
        folders[name] = str(prepare(spec, force=force))
        if not as_json:
            print(f"{name}: {folders[name]}")
    if as_json:
        print(json.dumps(folders, indent=2))


def _facts(spec: ModelSpec) -> dict[str, Any]:
    folder: Path = model_dir(spec)
    return {
        "name": spec.name,
        "task": spec.task,
        "engine": spec.engine,
        "source": spec.source.type,
        "revision": spec.revision,
        "license": spec.license,
        "fetched": is_prepared(spec),
        "folder": str(folder),
    }


def _registry() -> Registry:
    return load_registry(infra_dir() / "models")
