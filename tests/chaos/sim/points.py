"""Points in memory: what a vector store keeps, without its index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.grounding.adapters.points import DENSE, EDITION, POSITION, Kept, Point
from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Scored
from services.grounding.ports import Vector

Match = Mapping[str, str]


@dataclass
class MemoryPoints:
    """A dictionary by id; put it behind a `Remote`."""

    points: dict[str, Point] = field(default_factory=dict)

    async def upsert(self, points: Sequence[Point]) -> None:
        self.points.update((point.id, point) for point in points)

    async def exchange(self, point: Point, expected: int | None) -> bool:
        there = self.points.get(point.id)
        if (None if there is None else there.payload[POSITION]) != expected:
            return False
        self.points[point.id] = point
        return True

    async def delete(self, match: Match, *, edition: int | None = None, below: int | None = None) -> None:
        gone = [
            point.id
            for point in self.points.values()
            if _has_all(point.payload, match)
            and edition in (None, point.payload[EDITION])
            and (below is None or point.payload[EDITION] < below)
        ]
        for point_id in gone:
            del self.points[point_id]

    async def get(self, *point_ids: str) -> list[Mapping[str, Any]]:
        return [self.points[point_id].payload for point_id in point_ids if point_id in self.points]

    async def nearest(
        self, windows: Sequence[Vector], words: Sparse, match: Match, limit: int
    ) -> tuple[list[list[Scored]], list[Scored]]:
        those = [point for point in self.points.values() if point.vectors and _has_all(point.payload, match)]
        near = [
            _best(
                (Scored(p.id, sum(a * b for a, b in zip(window, p.vectors[DENSE], strict=True))) for p in those), limit
            )
            for window in windows
        ]
        said = (Scored(p.id, float(len(set(words.places) & set(p.words.places)))) for p in those if p.words)
        return near, _best((each for each in said if each.score), limit)

    async def fetch(self, point_ids: Sequence[str], vectors: Sequence[str]) -> list[Kept]:
        there = (self.points[point_id] for point_id in point_ids if point_id in self.points)
        return [Kept(p.id, p.payload, {name: p.vectors[name] for name in vectors}) for p in there]

    async def all(self, match: Match) -> list[Mapping[str, Any]]:
        return [point.payload for point in self.points.values() if _has_all(point.payload, match)]

    async def check(self) -> None:
        """Always there."""

    def texts(self, document_id: str) -> list[str]:
        """What can be found of a document: the chunks of the edition that its record names."""
        mine = [point for point in self.points.values() if point.payload.get("document_id") == document_id]
        shown = {point.payload[EDITION] for point in mine if not point.vectors}
        return [str(p.payload["text"]) for p in mine if p.vectors and p.payload[EDITION] in shown]


def _best(found: Iterable[Scored], limit: int) -> list[Scored]:
    return sorted(found, key=lambda each: -each.score)[:limit]


def _has_all(payload: Mapping[str, Any], match: Match) -> bool:
    return all(payload.get(name) == value for name, value in match.items())
