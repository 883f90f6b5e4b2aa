"""Points in memory: what a vector store keeps, without its index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.grounding.adapters.points import Near, Point
from services.grounding.ports import Vector

Match = Mapping[str, str]


@dataclass
class MemoryPoints:
    """A dictionary by id; put it behind a `Remote`."""

    points: dict[str, Point] = field(default_factory=dict)

    async def upsert(self, points: Sequence[Point]) -> None:
        self.points.update((point.id, point) for point in points)

    async def delete(self, match: Match, *, but: Match) -> None:
        gone = [
            point.id
            for point in self.points.values()
            if _has_all(point.payload, match)
            and not any(point.payload.get(name) == value for name, value in but.items())
        ]
        for point_id in gone:
            del self.points[point_id]

    async def get(self, point_id: str) -> Mapping[str, Any] | None:
        point = self.points.get(point_id)
        return None if point is None else point.payload

    async def nearest(self, vector: Vector, match: Match, limit: int) -> list[Near]:
        near = [
            Near(sum(a * b for a, b in zip(vector, point.vector, strict=True)), point.payload)
            for point in self.points.values()
            if point.vector is not None and _has_all(point.payload, match)
        ]
        return sorted(near, key=lambda found: -found.score)[:limit]

    async def check(self) -> None:
        """Always there."""

    def texts(self, document_id: str) -> list[str]:
        """What can be found of a document."""
        chunks = [point.payload for point in self.points.values() if point.vector is not None]
        return [str(chunk["text"]) for chunk in chunks if chunk["document_id"] == document_id]


def _has_all(payload: Mapping[str, Any], match: Match) -> bool:
    return all(payload.get(name) == value for name, value in match.items())
