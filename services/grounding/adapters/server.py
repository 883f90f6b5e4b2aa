"""A Qdrant server, reached by its own client. Imported only where one is named: the client costs 60 MB and seconds."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from headrace.messaging.errors import Fatal, Retryable
from headrace.stores.outage import Outage
from services.grounding.adapters.points import DENSE, EDITION, KEYWORDS, POSITION, WORDS, Kept, Match, Payload, Point
from services.grounding.domain.lexical import Sparse
from services.grounding.domain.ranking import Scored
from services.grounding.ports import Vector

# Bad request, no key, wrong key: no later try will fare better.
_REFUSED: Final = (400, 401, 403)
_CONFLICT: Final = 409
# Tells one writing of a record from another that says the same.
_MARK: Final = "mark"
# Records that are read at a time.
_PAGE: Final = 1000


class ServerPoints:
    """One collection of a server; several grounding processes may share it. Closes the client with itself."""

    def __init__(
        self, client: AsyncQdrantClient, collection: str, *, dimensions: Callable[[], Mapping[str, int]]
    ) -> None:
        self._client = client
        self._collection = collection
        self._dimensions = dimensions
        self._there = False
        self._lock = asyncio.Lock()
        self._outage = Outage()

    @classmethod
    def at(
        cls,
        url: str,
        collection: str,
        *,
        dimensions: Callable[[], Mapping[str, int]],
        api_key: str | None,
        timeout_seconds: int,
    ) -> "ServerPoints":
        """Points on the server at this URL; nothing is dialled before the first call."""
        # The check would dial in the constructor, and only to warn.
        client = AsyncQdrantClient(url=url, api_key=api_key, timeout=timeout_seconds, check_compatibility=False)
        return cls(client, collection, dimensions=dimensions)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.close()

    async def upsert(self, points: Sequence[Point]) -> None:
        """Write points; the server has applied them when this returns."""
        new = [models.PointStruct(id=p.id, vector=_vectors(p), payload=dict(p.payload)) for p in points]
        async with self._reaching():
            await self._client.upsert(self._collection, new, wait=True)

    async def exchange(self, point: Point, expected: int | None) -> bool:
        """Write if the stored position is the expected one: the server compares, and what it has afterwards tells."""
        mark = secrets.token_hex(8)
        new = models.PointStruct(id=point.id, vector=_vectors(point), payload={**point.payload, _MARK: mark})
        condition = models.FieldCondition(key=POSITION, match=models.MatchValue(value=expected or 0))
        async with self._reaching():
            await self._client.upsert(
                self._collection,
                [new],
                wait=True,
                # Of a replicated collection the leader compares, alone.
                ordering=models.WriteOrdering.STRONG,
                update_mode=models.UpdateMode.INSERT_ONLY if expected is None else models.UpdateMode.UPDATE_ONLY,
                update_filter=None if expected is None else models.Filter(must=[condition]),
            )
        stored = await self.get(point.id)
        return bool(stored) and stored[0].get(_MARK) == mark

    async def delete(self, match: Match, *, edition: int | None = None, below: int | None = None) -> None:
        """Delete what matches, of one edition, or of those below one."""
        conditions = _conditions(match)
        if edition is not None:
            conditions.append(models.FieldCondition(key=EDITION, match=models.MatchValue(value=edition)))
        later = [] if below is None else [models.FieldCondition(key=EDITION, range=models.Range(gte=below))]
        which = models.Filter(must=conditions, must_not=later)
        async with self._reaching():
            await self._client.delete(self._collection, models.FilterSelector(filter=which), wait=True)

    async def get(self, *point_ids: str) -> list[Payload]:
        """The payloads of those that there are."""
        async with self._reaching():
            records = await self._client.retrieve(self._collection, list(point_ids), with_payload=True)
        return [record.payload or {} for record in records]

    async def nearest(
        self, windows: Sequence[Vector], words: Sparse, match: Match, limit: int
    ) -> tuple[list[list[Scored]], list[Scored]]:
        """The nearest by each vector and by the words, in one request."""
        which = models.Filter(must=_conditions(match))
        requests = [
            models.QueryRequest(query=list(vector), using=DENSE, filter=which, limit=limit) for vector in windows
        ]
        if words.places:
            corpus = models.SearchParams(idf=models.IdfCorpusParams(corpus=which))
            query = models.NearestQuery(nearest=_sparse(words))
            requests.append(models.QueryRequest(query=query, using=WORDS, filter=which, limit=limit, params=corpus))
        async with self._reaching():
            found = await self._client.query_batch_points(self._collection, requests)
        lists = [[Scored(str(point.id), point.score) for point in each.points] for each in found]
        return lists[: len(windows)], lists[-1] if words.places else []

    async def fetch(self, point_ids: Sequence[str], vectors: Sequence[str]) -> list[Kept]:
        """Those that there are, with these vectors."""
        async with self._reaching():
            records = await self._client.retrieve(
                self._collection, list(point_ids), with_payload=True, with_vectors=list(vectors)
            )
        return [Kept(str(each.id), each.payload or {}, _stored(each.vector)) for each in records]

    async def all(self, match: Match) -> list[Payload]:
        """The payloads of all that match, page by page."""
        found: list[Payload] = []
        which = models.Filter(must=_conditions(match))
        place: Any = None
        while True:
            async with self._reaching():
                records, place = await self._client.scroll(
                    self._collection, which, limit=_PAGE, offset=place, with_payload=True
                )
            found += [record.payload or {} for record in records]
            if place is None:
                return found

    @asynccontextmanager
    async def _reaching(self) -> AsyncIterator[None]:
        # Every turn asks twice: without this each would wait twice for a server that says nothing.
        if self._outage.refuses(monotonic()):
            raise Retryable("Qdrant gave no answer a moment ago")
        try:
            if not self._there:
                await self._ensure()
            yield
            self._outage.answered()
        except UnexpectedResponse as exc:
            self._outage.answered()
            if exc.status_code in _REFUSED:
                raise Fatal(
                    f"Qdrant refuses collection {self._collection} (HTTP {exc.status_code}): check "
                    "HEADRACE_QDRANT_URL, HEADRACE_QDRANT_API_KEY and the collection's vector size"
                ) from exc
            # The collection may have been dropped under us: it is made again with the next try.
            self._there = False
            raise Retryable(f"Qdrant answered with HTTP {exc.status_code}") from exc
        except (ApiException, OSError, TimeoutError) as exc:
            if isinstance(exc, TimeoutError) or isinstance(_source(exc), httpx.TimeoutException):
                self._outage.timed_out(monotonic())
            reason = type(exc).__name__
            raise Retryable(f"Qdrant cannot be reached ({reason}); is HEADRACE_QDRANT_URL right?") from exc

    async def _ensure(self) -> None:
        """Create the collection, at first use: the server may come up after us."""
        async with self._lock:
            if self._there:
                return
            if not await self._client.collection_exists(self._collection):
                await self._create()
            for field in KEYWORDS:
                await self._client.create_payload_index(self._collection, field, models.PayloadSchemaType.KEYWORD)
            self._there = True

    async def _create(self) -> None:
        vectors = {
            name: models.VectorParams(size=size, distance=models.Distance.COSINE)
            for name, size in self._dimensions().items()
        }
        words = {WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)}
        try:
            await self._client.create_collection(self._collection, vectors_config=vectors, sparse_vectors_config=words)
        except UnexpectedResponse as exc:
            # Another grounding process was faster.
            if exc.status_code != _CONFLICT:
                raise


def _source(exc: Exception) -> object:
    return exc.source if isinstance(exc, ResponseHandlingException) else None


def _vectors(point: Point) -> dict[str, models.Vector]:
    vectors: dict[str, models.Vector] = {name: list(vector) for name, vector in point.vectors.items()}
    if point.words is not None and point.words.places:
        vectors[WORDS] = _sparse(point.words)
    return vectors


def _sparse(words: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=list(words.places), values=list(words.values))


def _stored(vectors: Any) -> dict[str, Vector]:
    return {name: vector for name, vector in vectors.items() if isinstance(vector, list)} if vectors else {}


def _conditions(match: Match) -> list[models.Condition]:
    return [models.FieldCondition(key=field, match=models.MatchValue(value=value)) for field, value in match.items()]
