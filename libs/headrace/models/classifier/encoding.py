"""Texts as a head sees them, with a bar for as long as it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headrace.models.classifier.features import Indices, ngrams
from headrace.models.classifier.head import Floats
from headrace.models.embedder import Embedder
from headrace.models.progress import work_progress

_TOGETHER: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """N-grams and vectors, a row a text."""

    grams: list[Indices]
    vectors: Floats

    def pick(self, rows: Sequence[int]) -> "Encoded":
        """Some of them."""
        return Encoded([self.grams[row] for row in rows], self.vectors[list(rows)])


def encode(texts: Sequence[str], encoder: Embedder, *, what: str) -> Encoded:
    """All of them, in their order; texts of like length go through the encoder together."""
    vectors = np.empty((len(texts), encoder.dimensions), np.float32)
    by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    with work_progress(what) as advance:
        for first in range(0, len(texts), _TOGETHER):
            rows = by_length[first : first + _TOGETHER]
            vectors[rows] = encoder.embed_whole([texts[row] for row in rows])
            advance(first + len(rows), len(texts))
    return Encoded([ngrams(text) for text in texts], vectors)
