"""A trained classifier as a model of the registry: measured, kept, and named in a YAML file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from pydantic import ValidationError
from sklearn.model_selection import StratifiedKFold

from headrace.messaging.errors import Invalid
from headrace.models.checksum import sha256_of
from headrace.models.classifier.encoding import Encoded, encode
from headrace.models.classifier.head import HEAD
from headrace.models.classifier.measuring import Figures, measure
from headrace.models.classifier.training import train
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.models.spec import ModelSpec
from headrace.runtime.misfits import misfit
from headrace.runtime.paths import data_dir

_FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the model is to be called, what it stands on, and where the registry's files are."""

    name: str
    encoder: str
    folder: Path
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The model's version, its file in the registry, and how good it is on texts it was not trained on."""

    revision: str
    path: Path
    figures: Figures


def register_classifier(rows: Sequence[tuple[str, str]], wanted: Wanted) -> Made:
    """Train on texts and their classes; `Invalid` where the name will not do or is taken."""
    path = wanted.folder / f"{wanted.name}.yaml"
    if path.exists() and not wanted.replace:
        raise Invalid(f"there is a model {wanted.name} already: choose another --name, or give --replace")
    registry = load_registry(wanted.folder)
    if path.exists() and registry.get(wanted.name).source.type != "path":
        raise Invalid(f"{wanted.name} was not trained here, and would be lost: choose another --name")
    encoder = registry.get(wanted.encoder, task="embed")
    labels = sorted({label for _, label in rows})
    classes = [labels.index(label) for _, label in rows]
    revision = _revision(rows, encoder)
    # Asked before the work: a name that the registry does not take is found out now.
    _checked(_described(wanted, labels, revision, Path("/"), "0" * 64))
    embedder = Embedder.load(prepare(encoder), dtype=encoder.dtype)
    encoded = encode([text for text, _ in rows], embedder, what=f"reading {len(rows):,} texts")
    figures = _cross_validated(encoded, classes, labels)
    kept = data_dir() / "models" / wanted.name / revision
    head = train(encoded.grams, encoded.vectors, classes, labels).save(kept)
    described = _described(wanted, labels, revision, kept, sha256_of(head))
    _checked(described)
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")
    partial.replace(path)
    return Made(revision, path, figures)


def _cross_validated(encoded: Encoded, classes: list[int], labels: list[str]) -> Figures:
    """Each fifth judged by a head that was trained on the other four."""
    found = np.zeros(len(classes), np.int64)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(encoded.vectors, classes):
        part, rest = encoded.pick(seen.tolist()), encoded.pick(unseen.tolist())
        head = train(part.grams, part.vectors, [classes[row] for row in seen], labels)
        found[unseen] = head.log_probabilities(rest.grams, rest.vectors).argmax(axis=1)
    return measure(classes, found.tolist(), labels)


def _revision(rows: Sequence[tuple[str, str]], encoder: ModelSpec) -> str:
    """Changes with the texts, their classes and the encoder, and with nothing else."""
    digest = hashlib.sha256(encoder.digest().encode())
    for text, label in rows:
        digest.update(f"\0{len(text)}\0{text}\0{label}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:12]


def _described(wanted: Wanted, labels: list[str], revision: str, kept: Path, sha256: str) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "task": "classify",
        "revision": revision,
        "encoder": wanted.encoder,
        "labels": [{"name": label} for label in labels],
        "source": {"type": "path", "path": str(kept), "sha256": {HEAD: sha256}},
        "resources": {"cpus": 0.5, "gpus": 0.0, "max_running": 64},
        "limits": {"context_window": 8192, "max_new_tokens": 1, "max_queue": 1024},
    }


def _checked(described: dict[str, Any]) -> None:
    try:
        ModelSpec.model_validate(described)
    except ValidationError as exc:
        raise Invalid(misfit(exc)) from None
