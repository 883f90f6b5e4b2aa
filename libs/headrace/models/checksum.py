"""Weights are trusted by hash."""

import hashlib
from pathlib import Path

from headrace.messaging.errors import Fatal


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str, *, remove: bool = False) -> None:
    """`Fatal` unless the file has this sha256; `remove` throws a wrong one away, so that a retry starts afresh."""
    if (got := sha256_of(path)) == expected:
        return
    if remove:
        path.unlink()
    raise Fatal(
        f"{path.name} has sha256 {got}, expected {expected}. Either the download was tampered with or the pin is out "
        "of date: try `headrace models pull --force`; if it stays so, check the file at its origin and correct the "
        "sha256 in infra/models"
    )
