"""Qdrant embedded in this process: the default where no server is named."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import qdrant_edge as qdrant

from headrace.messaging.errors import Fatal, Retryable
from services.grounding.adapters.points import DENSE, EDITION, KEYWORDS, POSITION, WORDS, Kept, Match, Payload, Point
from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Scored
from services.grounding.ports import Vector

Result = TypeVar("Result")

# Written with the shard's first segment: without it the folder holds no shard.
_CONFIG: Final = "edge_config.json"
# Some 100,000 chunks. The graph is built at a start and takes minutes; without it a question goes through one tenant's
# chunks, hundredths of a second, and misses none.
_GRAPH_FROM_KB: Final = 150_000
# Records that are read at a time, so that a question gets in between.
_PAGE: Final = 1000


class EdgePoints:
    """One shard in one folder, on one thread: the engine is synchronous. The lock of its log keeps others out."""

    def __init__(self, folder: Path, *, dimensions: Callable[[], Mapping[str, int]]) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._shard: qdrant.EdgeShard | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="qdrant")

    async def __aenter__(self) -> Self:
        self._shard = await asyncio.get_running_loop().run_in_executor(self._worker, self._open)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close)
        self._worker.shutdown(wait=True)

    async def upsert(self, points: Sequence[Point]) -> None:
        """Write points; the write-ahead log has them when this returns."""
        new = [_new(point) for point in points]
        await self._run(lambda shard: shard.update(qdrant.UpdateOperation.upsert_points(new)))

    async def exchange(self, point: Point, expected: int | None) -> bool:
        """Write if the stored position is the expected one: on the only thread, so that nothing comes between."""

        def compare_and_set(shard: qdrant.EdgeShard) -> bool:
            there = shard.retrieve([point.id], with_payload=True, with_vector=False)
            if (_position(there[0]) if there else None) != expected:
                return False
            shard.update(qdrant.UpdateOperation.upsert_points([_new(point)]))
            return True

        return await self._run(compare_and_set)

    async def delete(self, match: Match, *, edition: int | None = None, below: int | None = None) -> None:
        """Delete what matches, of one edition, or of those below one."""
        conditions = _conditions(match)
        if edition is not None:
            conditions.append(qdrant.FieldCondition(EDITION, match=qdrant.MatchValue(edition)))
        which = qdrant.Filter(must=conditions)
        if below is not None:
            later = qdrant.FieldCondition(EDITION, range=qdrant.RangeFloat(gte=below))
            which = qdrant.Filter(must=conditions, must_not=[later])
        await self._run(lambda shard: shard.update(qdrant.UpdateOperation.delete_points_by_filter(which)))

    async def get(self, *point_ids: str) -> list[Payload]:
        """The payloads of those that there are."""
        ids: list[Any] = list(point_ids)
        records = await self._run(lambda shard: shard.retrieve(ids, with_payload=True, with_vector=False))
        return [record.payload or {} for record in records]

    async def nearest(
        self, windows: Sequence[Vector], words: Sparse, match: Match, limit: int
    ) -> tuple[list[list[Scored]], list[Scored]]:
        """The nearest by each vector and by the words, all in one pass."""
        which = qdrant.Filter(must=_conditions(match))
        queries = [qdrant.Query.Nearest(list(vector), using=DENSE) for vector in windows]
        requests = [_request(query, which, limit) for query in queries]
        if words.places:
            query = qdrant.Query.Nearest(_sparse(words), using=WORDS)
            requests.append(_request(query, which, limit, qdrant.SearchParams(idf=qdrant.IdfParams(which))))
        found = await self._run(lambda shard: shard.query_batch(qdrant.QueryBatchRequest(requests)))
        lists = [[Scored(str(point.id), point.score) for point in each] for each in found]
        return lists[: len(windows)], lists[-1] if words.places else []

    async def fetch(self, point_ids: Sequence[str], vectors: Sequence[str]) -> list[Kept]:
        """Those that there are, with these vectors."""
        ids: list[Any] = [*point_ids]
        names = [*vectors]
        records = await self._run(lambda shard: shard.retrieve(ids, with_payload=True, with_vector=names))
        return [Kept(str(each.id), each.payload or {}, _vectors(each.vector)) for each in records]

    async def all(self, match: Match) -> list[Payload]:
        """The payloads of all that match, page by page."""
        found: list[Payload] = []
        which = qdrant.Filter(must=_conditions(match))
        place: Any = None
        while True:
            request = qdrant.ScrollRequest(offset=place, limit=_PAGE, filter=which, with_payload=True)
            records, place = await self._run(lambda shard, request=request: shard.scroll(request))  # type: ignore[misc]
            found += [record.payload or {} for record in records]
            if place is None:
                return found

    async def _run(self, operation: Callable[[qdrant.EdgeShard], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._attempt, operation)

    def _attempt(self, operation: Callable[[qdrant.EdgeShard], Result]) -> Result:
        if self._shard is None:
            raise Fatal("the knowledge index is not open: enter the adapter before its first use")
        try:
            return operation(self._shard)
        except Exception as exc:  # the engine raises nothing more precise
            raise Retryable(f"the knowledge index in {self._folder.name} failed: {exc}") from exc

    def _open(self) -> qdrant.EdgeShard:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            there = (self._folder / _CONFIG).exists()
            shard = qdrant.EdgeShard.load(str(self._folder)) if there else self._create()
            # Makes room of what was deleted, and the graph index where there is enough to search.
            shard.optimize()
        except Exception as exc:  # the engine raises nothing more precise
            raise Fatal(
                f"the knowledge index in {self._folder} cannot be opened ({exc}): stop the other grounding process "
                "that uses it, or set HEADRACE_QDRANT_URL to a Qdrant server that several can share"
            ) from exc
        return shard

    def _create(self) -> qdrant.EdgeShard:
        vectors = {
            name: qdrant.EdgeVectorParams(size, qdrant.Distance.Cosine) for name, size in self._dimensions().items()
        }
        words = {WORDS: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)}
        config = qdrant.EdgeConfig(
            vectors=vectors,
            sparse_vectors=words,
            optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=_GRAPH_FROM_KB),
        )
        shard = qdrant.EdgeShard.create(str(self._folder), config)
        for field in KEYWORDS:
            shard.update(qdrant.UpdateOperation.create_field_index(field, qdrant.PayloadSchemaType.Keyword))
        return shard

    def _close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None


def _new(point: Point) -> qdrant.Point:
    vectors: dict[str, Any] = {name: list(vector) for name, vector in point.vectors.items()}
    if point.words is not None and point.words.places:
        vectors[WORDS] = _sparse(point.words)
    return qdrant.Point(point.id, vectors, dict(point.payload))


def _sparse(words: Sparse) -> qdrant.SparseVector:
    return qdrant.SparseVector(list(words.places), list(words.values))


def _request(
    query: Any, which: qdrant.Filter, limit: int, params: qdrant.SearchParams | None = None
) -> qdrant.QueryRequest:
    return qdrant.QueryRequest(limit=limit, query=query, filter=which, params=params)


def _vectors(stored: Any) -> dict[str, Vector]:
    return {name: vector for name, vector in stored.items() if isinstance(vector, list)} if stored else {}


def _position(record: qdrant.Record) -> int:
    return int((record.payload or {}).get(POSITION, 0))


# The name of the type is in the stubs only, hence the quotes.
def _conditions(match: Match) -> "list[qdrant.ConditionType]":
    return [qdrant.FieldCondition(field, match=qdrant.MatchValue(value)) for field, value in match.items()]
