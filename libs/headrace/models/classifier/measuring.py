"""How good a classifier is: accuracy and macro-F1 with intervals, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headrace.bench.intervals import Interval, wilson

_RESAMPLES: Final = 1000

Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Of the texts of one class."""

    label: str
    texts: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all of them."""

    texts: int
    accuracy: Interval
    macro_f1: Interval
    classes: tuple[ClassFigures, ...]


def measure(given: Sequence[int], found: Sequence[int], labels: Sequence[str]) -> Figures:
    """Compare; both are indices into `labels`."""
    truth, guess = np.asarray(given, np.int64), np.asarray(found, np.int64)
    right = int((truth == guess).sum())
    classes = tuple(_class(truth, guess, index, label) for index, label in enumerate(labels))
    return Figures(len(truth), wilson(right, len(truth)), _bootstrapped(truth, guess, len(labels)), classes)


def _bootstrapped(truth: Classes, guess: Classes, classes: int) -> Interval:
    """Macro-F1 with its percentile bootstrap interval (Efron 1979)."""
    chance = np.random.default_rng(0)
    picks = (chance.integers(0, len(truth), len(truth)) for _ in range(_RESAMPLES))
    drawn = [_macro_f1(truth[pick], guess[pick], classes) for pick in picks] if len(truth) else [0.0]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(_macro_f1(truth, guess, classes), float(low), float(high))


def _macro_f1(truth: Classes, guess: Classes, classes: int) -> float:
    """The mean over the classes that occur."""
    table = np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)
    occurs = (table.sum(axis=0) + table.sum(axis=1)) > 0
    f1 = 2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1)
    return float(f1[occurs].mean()) if occurs.any() else 0.0


def _class(truth: Classes, guess: Classes, index: int, label: str) -> ClassFigures:
    hits = int(((truth == index) & (guess == index)).sum())
    texts, named = int((truth == index).sum()), int((guess == index).sum())
    precision, recall = hits / max(named, 1), hits / max(texts, 1)
    return ClassFigures(label, texts, precision, recall, 2 * hits / max(texts + named, 1))
