"""A question as what is searched for: a long one asks many things, and each is searched for by itself."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.grounding.domain.analysis import stems
from services.grounding.domain.lexical import Sparse, question_weights

# So many vectors are made of one question at most; beyond it neighbours go together.
_MAX_WINDOWS: Final = 48
# Up to here an encoder reads a text as a whole, and the parts are read in its light.
_WHOLE_CHARACTERS: Final = 800
_LEAST_WORDS: Final = 3
_SENTENCE: Final = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s*(?=\s|[\u3040-\u9fff])|\n+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for: the windows by their meaning, the words by themselves."""

    windows: tuple[str, ...]
    stems: tuple[str, ...]

    @property
    def words(self) -> Sparse:
        """What is asked for word by word."""
        return question_weights(self.stems)


def asked(question: str) -> Asked:
    """The question's sentences, and the whole of it where it is short."""
    question = question.strip()
    sentences = [part.strip() for part in _SENTENCE.split(question)]
    sentences = [part for part in sentences if len(part.split()) >= _LEAST_WORDS or not part.isascii()]
    windows = _joined([part for part in sentences if part])
    if len(question) <= _WHOLE_CHARACTERS and windows != [question]:
        windows.insert(0, question)
    return Asked(tuple(windows or [question]), tuple(stems(question)))


def _joined(sentences: list[str]) -> list[str]:
    """At most so many windows, each of neighbours, as equal in number as can be."""
    if len(sentences) < _MAX_WINDOWS:
        return sentences
    bounds = [len(sentences) * number // (_MAX_WINDOWS - 1) for number in range(_MAX_WINDOWS)]
    return [" ".join(sentences[start:end]) for start, end in pairwise(bounds)]
