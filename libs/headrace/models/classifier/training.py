"""Trains a head: logistic regression over n-grams weighed by naive Bayes, and the encoder's vectors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from headrace.models.classifier.features import BITS, Indices
from headrace.models.classifier.head import Floats, Head

# The inverse strength of the regularisation, and how much the vector counts beside the n-grams: between 1 and 4, and
# between 0.5 and 1, accuracy on sources that were not trained on moved by less than a point.
_STRENGTH = 2.0
_VECTOR_WEIGHT = 0.5
# An n-gram that only one text has says nothing of others.
_LEAST_TEXTS = 2
_TWO = 2


def train(grams: Sequence[Indices], vectors: Floats, classes: Sequence[int], labels: Sequence[str]) -> Head:
    """The head for these texts; `classes` are indices into `labels`. Classes weigh alike; deterministic."""
    seen = _counts(grams)
    given = np.asarray(classes)
    rows = [1] if len(labels) == _TWO else range(len(labels))
    trained = [_row(seen, vectors, given == row) for row in rows]
    ratios, words, vector, intercept = (np.stack(part) for part in zip(*trained, strict=True))
    return Head(tuple(labels), ratios, words, vector, intercept[:, 0])


def _row(seen: csr_matrix, vectors: Floats, own: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, Floats]:
    """One class against all others."""
    weight = np.where(own, 0.5 / max(own.sum(), 1), 0.5 / max((~own).sum(), 1)) * len(own)
    ratio = _log_count_ratios(seen, own, weight)
    weighed = normalize(seen.multiply(ratio).tocsr())
    matrix = hstack([weighed, csr_matrix(vectors * _VECTOR_WEIGHT)]).tocsr()
    model = LogisticRegression(C=_STRENGTH, max_iter=3000, random_state=0)
    model.fit(matrix, own, sample_weight=weight)
    words, vector = np.split(model.coef_[0].astype(np.float32), [1 << BITS])
    return ratio, words, vector * np.float32(_VECTOR_WEIGHT), model.intercept_.astype(np.float32)


def _log_count_ratios(seen: csr_matrix, own: NDArray[np.bool_], weight: NDArray[np.float64]) -> Floats:
    counts = [np.asarray(seen.T @ (weight * side)).ravel() + 1.0 for side in (own, ~own)]
    ratio = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())
    ratio[np.asarray(seen.sum(axis=0)).ravel() < _LEAST_TEXTS] = 0.0
    return np.asarray(ratio, dtype=np.float32)


def _counts(grams: Sequence[Indices]) -> csr_matrix:
    ends = np.cumsum([0, *map(len, grams)])
    indices = np.concatenate(grams) if grams else np.empty(0, np.int32)
    return csr_matrix((np.ones(len(indices), np.float32), indices, ends), shape=(len(grams), 1 << BITS))
