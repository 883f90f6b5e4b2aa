"""The checkout, as the tests of this folder see it."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir() and path.name != "__pycache__")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be committed, so that caches and data of a run are not judged."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def modules(*folders: str) -> list[Path]:
    """The Python modules below these folders, without generated ones."""
    roots = tuple(ROOT / folder for folder in folders)
    return [
        path
        for path in files()
        if path.suffix == ".py" and "_pb2" not in path.stem and any(path.is_relative_to(root) for root in roots)
    ]


def name(path: Path) -> str:
    """The path as a person would write it."""
    return str(path.relative_to(ROOT))


@cache
def compose() -> dict[str, dict[str, Any]]:
    """docker-compose.yml, parsed."""
    parsed: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return parsed
