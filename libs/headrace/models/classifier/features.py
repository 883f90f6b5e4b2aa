"""What a head sees of a text beside its vector: which word n-grams it has."""

import re
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 18
# Part of every trained head: raise it when the features change.
VERSION: Final = "1"

_LONGEST: Final = 3
# Words with their apostrophes, and the marks that say how loudly it was meant.
_WORD: Final = re.compile(r"\w[\w'\u2019]*|[!?]")
_MASK: Final = (1 << BITS) - 1

Indices = NDArray[np.int32]


def ngrams(text: str) -> Indices:
    """The n-grams of one to three words, each once, as indices below 2**BITS.

    Hashed by CRC-32, so that no vocabulary has to be kept and every machine gets the same indices.
    """
    words = _WORD.findall(text.casefold().replace("\u2019", "'"))
    found = {zlib.crc32(gram.encode()) & _MASK for gram in _grams(words)}
    return np.fromiter(sorted(found), np.int32, len(found))


def _grams(words: list[str]) -> Iterator[str]:
    for size in range(1, _LONGEST + 1):
        for at in range(len(words) - size + 1):
            yield " ".join(words[at : at + size])
