"""BM25 as sparse vectors (Robertson and Zaragoza 2009): a text's weights are its vector, the store adds the rest.

What a word is worth against others (its inverse document frequency) depends on the corpus and is put in by the store at
each search, over the chunks of that corpus alone. What is left depends on the text only.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SATURATION: Final = 1.2
_LENGTH: Final = 0.75
# Of a chunk with its headings, in words that count. A corpus with longer ones loses little: its chunks are alike.
_USUAL_WORDS: Final = 40.0


@dataclass(frozen=True, slots=True)
class Sparse:
    """A vector of which only these places are not 0."""

    places: tuple[int, ...]
    values: tuple[float, ...]


def passage_weights(stems: Sequence[str]) -> Sparse:
    """What each word says about a passage: more where it is said again, less where much is said."""
    norm = _SATURATION * (1 - _LENGTH + _LENGTH * len(stems) / _USUAL_WORDS)
    return _sparse({stem: times * (_SATURATION + 1) / (times + norm) for stem, times in Counter(stems).items()})


def question_weights(stems: Sequence[str]) -> Sparse:
    """What each word asks for: as often as it is said."""
    return _sparse({stem: float(times) for stem, times in Counter(stems).items()})


def _sparse(weights: dict[str, float]) -> Sparse:
    # Two words in one place are as one word: rare among four thousand million places.
    placed: dict[int, float] = {}
    for stem, weight in weights.items():
        place = zlib.crc32(stem.encode())
        placed[place] = placed.get(place, 0.0) + weight
    return Sparse(tuple(placed), tuple(placed.values()))
