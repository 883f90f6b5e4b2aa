"""Terms: a text as the words by which it can be found, each with its place.

English words are brought to their stem (Porter 2) and lose to a list of stop words what is in every text; letters lose
their accents; a run of Chinese, Japanese or Korean becomes overlapping pairs, since nothing parts its words.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import Stemmer

# Part of every document's digest: a document is indexed anew when the way of analysing changes.
ANALYSIS_VERSION: Final = "1"
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD: Final = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:['\u2019](?:s|t|ll|re|ve|d|m)\b)?")
_PAIR: Final = 2
STOP_WORDS: Final = frozenset(
    """a about above after again against all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each few for from further had has have having he her here hers
    him his how i if in into is it its just me more most my no nor not now of off on once only or other our out over own
    please same shall she should so some such tell than that the their them then there these they this those through to
    too under until up us very was we were what when where which while who whom why will with would you your""".split()
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word in the form that is compared; characters [start, end) of the text are the word itself."""

    stem: str
    start: int
    end: int
    # Whether it is in every text: of no use in finding one, and part of names all the same.
    stop: bool = False


def terms(text: str) -> list[Term]:
    """Every word, in order."""
    stemmer = Stemmer.Stemmer("english", 0)
    return [
        Term(stemmer.stemWord(word), start, end, stop=word in STOP_WORDS or not word)
        for word, start, end in _words(text)
    ]


def stems(text: str) -> list[str]:
    """The words by which a text is found: those that are not in every text."""
    return [term.stem for term in terms(text) if not term.stop]


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _WORD.finditer(text):
        word = match.group()
        if "\u3040" <= word[0] <= "\u9fff" or "\uac00" <= word[0] <= "\ud7af":
            last = max(len(word) - _PAIR, 0)
            for place in range(last + 1):
                yield (
                    word[place : place + _PAIR],
                    match.start() + place,
                    min(match.start() + place + _PAIR, match.end()),
                )
        else:
            yield _plain(word), match.start(), match.end()


def _plain(word: str) -> str:
    """Small letters without accents, and without what an apostrophe adds."""
    if not word.isascii():
        decomposed = unicodedata.normalize("NFKD", word.replace("\u2019", "'"))
        word = "".join(character for character in decomposed if not unicodedata.combining(character))
    return word.casefold().partition("'")[0]
