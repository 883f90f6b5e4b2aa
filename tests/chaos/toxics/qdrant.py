"""Qdrant's REST interface, as far as grounding uses it, over the client library's own local mode.

There is no server binary among the packages. What is tried here is our adapter, the client's HTTP and what both do when
the wire is sick, not the server behind it.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any, Final

import uvicorn
from pydantic import BaseModel, TypeAdapter
from qdrant_client import AsyncQdrantClient, models
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from headrace.embedded.ports import LOOPBACK, free_port
from tests.fakes.waiting import until

_SELECTOR: Final = TypeAdapter(models.FilterSelector)
_VECTORS: Final = TypeAdapter(bool | list[str])


class QdrantStandIn:
    """The handlers; what they keep is in memory."""

    def __init__(self) -> None:
        self._client = AsyncQdrantClient(":memory:")

    def app(self) -> Starlette:
        """The routes that grounding asks for."""
        collection = "/collections/{name}"
        return Starlette(
            routes=[
                Route(collection + "/exists", self._exists, methods=["GET"]),
                Route(collection, self._create, methods=["PUT"]),
                Route(collection + "/index", self._index, methods=["PUT"]),
                Route(collection + "/points", self._upsert, methods=["PUT"]),
                Route(collection + "/points", self._retrieve, methods=["POST"]),
                Route(collection + "/points/delete", self._delete, methods=["POST"]),
                Route(collection + "/points/query/batch", self._query, methods=["POST"]),
                Route(collection + "/points/scroll", self._scroll, methods=["POST"]),
            ]
        )

    async def _exists(self, request: Request) -> JSONResponse:
        return _said({"exists": await self._client.collection_exists(request.path_params["name"])})

    async def _create(self, request: Request) -> JSONResponse:
        asked = models.CreateCollection.model_validate_json(await request.body())
        if await self._client.collection_exists(request.path_params["name"]):
            return JSONResponse({"status": {"error": "it exists already"}}, 409)
        created = await self._client.create_collection(
            request.path_params["name"], asked.vectors, sparse_vectors_config=asked.sparse_vectors
        )
        return _said(created)

    async def _index(self, request: Request) -> JSONResponse:
        # A search in memory goes through all points in any case.
        del request
        return _done()

    async def _upsert(self, request: Request) -> JSONResponse:
        asked = models.PointsList.model_validate_json(await request.body())
        await self._client.upsert(
            request.path_params["name"],
            asked.points,
            update_filter=asked.update_filter,
            update_mode=asked.update_mode,
        )
        return _done()

    async def _retrieve(self, request: Request) -> JSONResponse:
        asked = models.PointRequest.model_validate_json(await request.body())
        vectors = _VECTORS.validate_python(asked.with_vector or False)
        found = await self._client.retrieve(
            request.path_params["name"], asked.ids, with_payload=True, with_vectors=vectors
        )
        return _said(found)

    async def _delete(self, request: Request) -> JSONResponse:
        await self._client.delete(request.path_params["name"], _SELECTOR.validate_json(await request.body()))
        return _done()

    async def _query(self, request: Request) -> JSONResponse:
        asked = models.QueryRequestBatch.model_validate_json(await request.body())
        return _said(await self._client.query_batch_points(request.path_params["name"], asked.searches))

    async def _scroll(self, request: Request) -> JSONResponse:
        asked = models.ScrollRequest.model_validate_json(await request.body())
        points, place = await self._client.scroll(
            request.path_params["name"], asked.filter, limit=asked.limit or 10, offset=asked.offset, with_payload=True
        )
        return _said({"points": _plain(points), "next_page_offset": place})


@asynccontextmanager
async def serving_qdrant() -> AsyncIterator[str]:
    """`host:port` of a stand-in, for as long as it is entered."""
    port = free_port()
    # The local mode says at every index and every large collection what it is.
    warnings.filterwarnings("ignore", message=".*local Qdrant")
    config = uvicorn.Config(QdrantStandIn().app(), host=LOOPBACK, port=port, log_config=None, lifespan="off")
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(), name="qdrant")
    await until("the stand-in of Qdrant to listen", lambda: server.started)
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        server.should_exit = server.force_exit = True
        with suppress(asyncio.CancelledError):
            await task


class _Quiet(uvicorn.Server):
    """Signals are for whoever runs the attack."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # narrows a generator's type
        return nullcontext()


def _said(result: Any) -> JSONResponse:
    return JSONResponse({"result": _plain(result), "status": "ok", "time": 0.0})


def _done() -> JSONResponse:
    return _said({"operation_id": 0, "status": "completed"})


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    return [_plain(each) for each in result] if isinstance(result, list) else result
