"""Character n-grams, hashed: the features by which the injection heads were trained and by which they judge."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SIZES: Final = (2, 3, 4, 5)
BITS: Final = 18
# Part of a trained head's name: raise it when the features change.
VERSION: Final = "2"

# Knuth's multiplicative hashing: the high bits of a product with 2**64 divided by the golden ratio.
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(64 - BITS)


def features(text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Indices below 2**BITS and the sublinear count (1 + ln n) of each.

    Hashed, so that no vocabulary has to be kept and every machine gets the same indices; all grams of a size at once,
    since a document has thousands.
    """
    padded = f" {' '.join(text.casefold().split())} "
    chars = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    hashed = [_hashed(chars, size) for size in SIZES if len(chars) >= size]
    indices, counts = np.unique(np.concatenate(hashed), return_counts=True)
    return indices.astype(np.int32), np.float32(1) + np.log(counts.astype(np.float32))


def _hashed(chars: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """The index of every run of so many characters; arithmetic wraps at 64 bits, everywhere alike."""
    found = np.full(len(chars) - size + 1, size, np.uint64)
    for at in range(size):
        found = (found ^ chars[at : len(chars) - size + 1 + at]) * _GOLDEN
        found ^= found >> np.uint64(29)
    return (found * _GOLDEN) >> _SHIFT
