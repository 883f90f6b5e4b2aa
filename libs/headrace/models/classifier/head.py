"""A trained head, kept without pickle: probabilities of its classes from a text's n-grams and its vector."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from headrace.messaging.errors import Fatal
from headrace.models.classifier.features import BITS, VERSION, Indices

Floats = NDArray[np.float32]

HEAD: Final = "head.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One row a class, or a single row, for the second class, where there are two.

    The n-grams of a text count by how much they speak for a class (naive Bayes' log-count ratio), brought to unit
    length, before the regression weighs them (Wang and Manning 2012); the vector is weighed beside them.
    """

    labels: tuple[str, ...]
    # (rows, 2**BITS): the log-count ratios, and the regression's weights of them.
    ratios: Floats
    words: Floats
    # (rows, dimensions of the encoder), and (rows,).
    vector: Floats
    intercept: Floats

    def log_probabilities(self, grams: Sequence[Indices], vectors: Floats) -> Floats:
        """(n, classes), each row the logarithms of probabilities that sum to 1."""
        odds = np.stack([self._worded(indices) for indices in grams]) + vectors @ self.vector.T + self.intercept
        if len(self.intercept) == 1:
            odds = np.concatenate([np.zeros_like(odds), odds], axis=1)
        highest = odds.max(axis=1, keepdims=True)
        shifted = odds - highest
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float32)

    def _worded(self, indices: Indices) -> Floats:
        ratios = self.ratios[:, indices]
        lengths = np.sqrt((ratios * ratios).sum(axis=1))
        weighed = (ratios * self.words[:, indices]).sum(axis=1)
        return np.asarray(weighed / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; anything else is `Fatal`."""
        path = folder / HEAD
        try:
            with np.load(path, allow_pickle=False) as content:
                version = str(content["version"])
                head = cls(
                    tuple(str(label) for label in content["labels"]),
                    *(content[name].astype(np.float32) for name in ("ratios", "words", "vector", "intercept")),
                )
        except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
            raise Fatal(f"{path} is no trained classifier ({exc}): train it again or fetch it again") from exc
        rows = 1 if len(head.labels) == 2 else len(head.labels)  # noqa: PLR2004 - of two, one row says all
        if version != VERSION or head.ratios.shape != (rows, 1 << BITS) or head.words.shape != (rows, 1 << BITS):
            raise Fatal(f"{path} was trained on other features than this code has: train it again")
        return head

    def save(self, folder: Path) -> Path:
        """Write it whole or not at all; say where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / HEAD
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                version=np.str_(VERSION),
                labels=np.array(self.labels, dtype=np.str_),
                ratios=self.ratios.astype(np.float16),
                words=self.words.astype(np.float16),
                vector=self.vector,
                intercept=self.intercept,
            )
        partial.replace(path)
        return path
