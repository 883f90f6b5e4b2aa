"""Trains the injection heads, once per version of their data: `python -m services.safety.adapters.injection_training`.

A process of its own, so that the libraries of the training do not stay in the memory of the service.
"""

import fcntl
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from services.safety.adapters.injection_data import Row, rows_for_documents, rows_for_prompts
from services.safety.adapters.injection_head import InjectionHead
from services.safety.adapters.injection_source import Head, head_digest, head_path
from services.safety.adapters.ngrams import BITS, features
from services.safety.domain.decoding import readings

# The inverse strength of the regularisation: between 3 and 30 the held-out figures hardly move.
_STRENGTH = 10.0


def train(rows: Sequence[Row], digest: str) -> InjectionHead:
    """Logistic regression with classes weighed alike; deterministic."""
    texts, labels, weights = zip(*rows, strict=True)
    weigher = TfidfTransformer(norm="l2", sublinear_tf=False)
    matrix = weigher.fit_transform(_counts(texts))
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", solver="liblinear", max_iter=300, random_state=0)
    model.fit(matrix, np.array(labels), sample_weight=np.array(weights))
    return InjectionHead(
        weigher.idf_.astype(np.float32), model.coef_[0].astype(np.float32), float(model.intercept_[0]), digest
    )


def ensure_head(head: Head) -> Path:
    """The file of the head, trained now if there is none for these data and this code."""
    path = head_path(head)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        # Services that start together train once: the others wait here and find it done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            train(_ROWS[head](), head_digest(head)).save(path)
    return path


def _counts(texts: Sequence[str]) -> csr_matrix:
    rows = [features(readings(text)[0]) for text in texts]
    ends = np.cumsum([0, *(len(indices) for indices, _ in rows)])
    indices = np.concatenate([indices for indices, _ in rows])
    counts = np.concatenate([counts for _, counts in rows])
    return csr_matrix((counts, indices, ends), shape=(len(rows), 1 << BITS))


_ROWS: Final[Mapping[Head, Callable[[], list[Row]]]] = {"injection": rows_for_prompts, "hidden": rows_for_documents}

if __name__ == "__main__":
    for asked in _ROWS:
        if asked in (sys.argv[1:] or _ROWS):
            print(f"the {asked} head is ready: {ensure_head(asked).name}", file=sys.stderr)  # noqa: T201 - shown at set-up
