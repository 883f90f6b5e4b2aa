"""Character n-grams, hashed: the features by which the injection head was trained and by which it judges."""

import zlib
from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIZES: Final = (2, 3, 4, 5)
BITS: Final = 18
# Part of the trained head's name: raise it when the features change.
VERSION: Final = "1"

_MASK: Final = (1 << BITS) - 1


def features(text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Indices below 2**BITS and the sublinear count (1 + ln n) of each.

    Hashed by CRC-32, so that no vocabulary has to be kept and every machine gets the same indices.
    """
    padded = f" {' '.join(text.casefold().split())} "
    grams = Counter(padded[at : at + size] for size in SIZES for at in range(len(padded) - size + 1))
    indices: Counter[int] = Counter()
    for gram, count in grams.items():
        indices[zlib.crc32(gram.encode()) & _MASK] += count
    counts = np.fromiter(indices.values(), np.float32, len(indices))
    return np.fromiter(indices.keys(), np.int32, len(indices)), np.float32(1) + np.log(counts)
