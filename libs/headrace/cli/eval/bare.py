"""BM25 as a library gives it, with its own defaults: what words alone reach without any work."""

from collections.abc import Sequence
from typing import Any, Final

import bm25s
import numpy as np
import Stemmer
from bm25s.tokenization import tokenize

# Documents of a ranking that are told.
_TOLD: Final = 20


def bm25(passages: Sequence[tuple[str, str]], questions: Sequence[str]) -> list[list[str]]:
    """For each question the documents in the order of their best passage; stemmed, without English stop words."""
    stemmer = Stemmer.Stemmer("english")
    index: Any = bm25s.BM25()
    texts = [text for _, text in passages]
    index.index(tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    asked: Any = tokenize(list(questions), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)
    rankings = []
    for words in asked:
        order = np.argsort(-index.get_scores(words), kind="stable")
        rankings.append(list(dict.fromkeys(passages[place][0] for place in order))[:_TOLD])
    return rankings
