"""The trained injection head: logistic regression over TF-IDF of hashed n-grams, kept without pickle."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from headrace.messaging.errors import Fatal
from services.safety.adapters.ngrams import BITS, features


@dataclass(frozen=True, slots=True, eq=False)
class InjectionHead:
    """Call it with a text: from 0 (harmless) to 1 (an attempt to take over the model)."""

    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercept: float
    # Names the data and the features that it was trained on.
    digest: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; anything else is `Fatal`."""
        try:
            with np.load(path, allow_pickle=False) as content:
                head = cls(content["idf"], content["weights"], float(content["intercept"]), str(content["digest"]))
        except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
            raise Fatal(
                f"{path} is no trained injection head ({exc}): delete it, it is trained anew at the next start"
            ) from exc
        if head.idf.shape != (1 << BITS,) or head.weights.shape != (1 << BITS,):
            raise Fatal(f"{path} has other features than this code: delete it, it is trained anew at the next start")
        return head

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                idf=self.idf,
                weights=self.weights,
                intercept=np.float64(self.intercept),
                digest=np.str_(self.digest),
            )
        partial.replace(path)

    def __call__(self, text: str) -> float:
        indices, counts = features(text)
        weighted = counts * self.idf[indices]
        length = float(np.sqrt(weighted @ weighted)) or 1.0
        odds = float(weighted @ self.weights[indices]) / length + self.intercept
        return float(1.0 / (1.0 + np.exp(-odds)))
