"""Reading a corpus: the passages that may answer a question, and the names that it knows."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.grounding.adapters.points import DENSE, STRONG, Kept, Points
from services.grounding.adapters.records import (
    CHUNK,
    DOCUMENT,
    edition_of,
    entities_of,
    of_corpus,
    passage_of,
    point_id,
)
from services.grounding.domain.documents import Corpus
from services.grounding.domain.entities import Gazetteer
from services.grounding.domain.ranking import LIST, Candidate, Weights, shortlist
from services.grounding.ports import Probe, Vector

# What is looked at closely.
_CANDIDATES: Final = 100
_GAZETTEERS: Final = 32
# While a folder is indexed every question meets another version: names may be so old then.
_STALE_SECONDS: Final = 5.0


async def candidates(points: Points, corpus: Corpus, probe: Probe, weights: Weights) -> list[Candidate]:
    """What meaning and words find, with the exact cosine of each to each window."""
    near, by_words = await points.nearest(probe.windows, probe.words, of_corpus(corpus, CHUNK), LIST)
    lexical = {each.id: each.score for each in by_words}
    # While a document is indexed anew its chunks are there twice, and half of them are not shown.
    ids = shortlist(near, by_words, weights, 2 * _CANDIDATES)
    kept = await _shown(points, corpus, await points.fetch(ids, [DENSE, STRONG] if probe.strong else [DENSE]))
    place = {name: number for number, name in enumerate(ids)}
    kept = sorted(kept, key=lambda each: place[each.id])[:_CANDIDATES]
    if not kept:
        return []
    cosines = _cosines([each.vectors[DENSE] for each in kept], probe.windows)
    strong = (
        _cosines([each.vectors[STRONG] for each in kept], probe.strong) if probe.strong else np.empty((len(kept), 0))
    )
    return [
        Candidate(passage_of(each.payload, max(row)), tuple(row), lexical.get(each.id, 0.0), tuple(again))
        for each, row, again in zip(kept, cosines.tolist(), strong.tolist(), strict=True)
    ]


async def _shown(points: Points, corpus: Corpus, found: Sequence[Kept]) -> list[Kept]:
    """Those of the edition that their document's record names."""
    names = {str(each.payload["document_id"]) for each in found}
    records = await points.get(*(point_id(DOCUMENT, corpus, name) for name in names)) if names else []
    shown = {edition_of(record) for record in records}
    return [each for each in found if edition_of(each.payload) in shown]


def _cosines(passages: Sequence[Vector], windows: Sequence[Vector]) -> NDArray[np.float64]:
    """(passages, windows); the store keeps unit vectors, the encoder gives them."""
    return np.asarray(np.array(passages) @ np.array(windows).T, np.float64)


class Gazetteers:
    """The names of each corpus, read again when its version has changed."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._read: OrderedDict[Corpus, tuple[str, float, Gazetteer]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def of(self, corpus: Corpus, version: str) -> Gazetteer:
        """The names as of this version, or of some seconds before it."""
        known = self._read.get(corpus)
        if known is None or not _fresh(known, version):
            async with self._lock:
                known = self._read.get(corpus)
                if known is None or not _fresh(known, version):
                    known = (version, _now(), await self._build(corpus))
        self._read[corpus] = known
        self._read.move_to_end(corpus)
        if len(self._read) > _GAZETTEERS:
            self._read.popitem(last=False)
        return known[2]

    async def _build(self, corpus: Corpus) -> Gazetteer:
        records = await self._points.all(of_corpus(corpus, DOCUMENT))
        entities = [entity for record in records for entity in entities_of(record)]
        # Thousands of names take tenths of a second.
        return await asyncio.to_thread(Gazetteer, entities)


def _fresh(known: tuple[str, float, Gazetteer], version: str) -> bool:
    return known[0] == version or _now() - known[1] < _STALE_SECONDS


def _now() -> float:
    return asyncio.get_running_loop().time()
