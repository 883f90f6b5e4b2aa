"""Weights that are on this machine already."""

from pathlib import Path

from headrace.messaging.errors import Fatal
from headrace.models.checksum import verify
from headrace.models.spec import PathSource


def locate(source: PathSource) -> Path:
    """The folder itself, verified where hashes are given; nothing is copied."""
    folder = Path(source.path)
    if not folder.is_dir():
        raise Fatal(f"there is no folder {folder}: correct `path` in the model's YAML")
    for name, expected in source.sha256.items():
        verify(folder / name, expected)
    return folder
