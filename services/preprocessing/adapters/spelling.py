"""English spelling by SymSpell (W. Garbe; symspellpy) and the frequencies of 82,765 words that come with it."""

import threading
from importlib import resources
from pathlib import Path
from typing import Final

from symspellpy import SymSpell, Verbosity  # type: ignore[import-untyped]  # has no types

# One letter too many, too few, another or two in the wrong order: two of these make another word of too many words.
_DISTANCE: Final = 1
_PREFIX: Final = 7
# How often a word must have been seen to be what was meant: the shorter it was typed, the more words are near it.
_COMMON: Final = 5_000_000
_COMMON_SHORT: Final = 1_000_000_000
_SHORT: Final = 3
# The likeliest word must leave the next behind by so much; else nobody can say which was meant.
_MARGIN: Final = 10


class SymSpellSpeller:
    """Loads in seconds, when first asked; some tens of megabytes. Call it off the event loop."""

    def __init__(self, own_words: frozenset[str] = frozenset()) -> None:
        self._own_words = own_words
        self._words: SymSpell | None = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Be ready for the first text."""
        with self._loading:
            if self._words is None:
                words = SymSpell(max_dictionary_edit_distance=_DISTANCE, prefix_length=_PREFIX)
                frequencies = resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt"
                words.load_dictionary(str(frequencies), term_index=0, count_index=1)
                self._words = words

    def suggest(self, word: str) -> str | None:
        """What a lower-case word should be; None where it is a word, or nobody can say."""
        self.load()
        assert self._words is not None, "loaded above"  # noqa: S101 - tells mypy what `load` has done
        if word in self._own_words or word in self._words.words:
            return None
        found = [
            each
            for each in self._words.lookup(word, Verbosity.CLOSEST, max_edit_distance=_DISTANCE)
            if each.term[0] == word[0]
        ]
        if not found or found[0].count < (_COMMON_SHORT if len(word) <= _SHORT else _COMMON):
            return None
        if len(found) > 1 and found[0].count < _MARGIN * found[1].count:
            return None
        return str(found[0].term)


def words_of(path: Path) -> frozenset[str]:
    """A file of words that are no typing errors, one a line, `#` for a comment; none where it is not there."""
    if not path.is_file():
        return frozenset()
    lines = (line.partition("#")[0].strip().lower() for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line)
