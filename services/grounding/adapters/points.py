"""Points: the little of Qdrant that grounding uses, the same for both ways to reach it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Scored
from services.grounding.ports import Vector

# Vectors have names; points that are only looked up have none of them.
DENSE: Final = "dense"
STRONG: Final = "strong"
WORDS: Final = "words"
# Fields that searches and deletions select by.
KEYWORDS: Final = ("kind", "tenant", "collection", "document_id")

Payload = Mapping[str, Any]
Match = Mapping[str, str]
# Which writing of a document a chunk belongs to: the position of its record.
EDITION: Final = "edition"
# What compare-and-set compares.
POSITION: Final = "position"


@dataclass(frozen=True, slots=True)
class Point:
    """One record; `id` is a UUID."""

    id: str
    payload: Payload
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    words: Sparse | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with those of its vectors that were asked for."""

    id: str
    payload: Payload
    vectors: Mapping[str, Vector]


class Points(AbstractAsyncContextManager[object], Protocol):
    """A set of points. Opens on entering; every call raises `Retryable` where it cannot be served now."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Write points over those of the same id; durable when it returns."""
        ...

    async def exchange(self, point: Point, expected: int | None) -> bool:
        """Write the point if the `position` of the one with its id is `expected`, None for no such point.

        False where it is not, and nothing was written. Of several at once, in any process, one gets True.
        """
        ...

    async def delete(self, match: Match, *, edition: int | None = None, below: int | None = None) -> None:
        """Delete all points whose payload has these values, of one edition, or of those below one, or of all."""
        ...

    async def get(self, *point_ids: str) -> list[Payload]:
        """The payloads of those points that there are."""
        ...

    async def nearest(
        self, windows: Sequence[Vector], words: Sparse, match: Match, limit: int
    ) -> tuple[list[list[Scored]], list[Scored]]:
        """Of the points that match: for each vector the nearest by cosine, and the best by BM25, best first.

        What a word is worth is reckoned over the points that match, and over no others.
        """
        ...

    async def fetch(self, point_ids: Sequence[str], vectors: Sequence[str]) -> list[Kept]:
        """Those points that there are, with the vectors of these names."""
        ...

    async def all(self, match: Match) -> list[Payload]:
        """The payloads of all points that match."""
        ...
