"""One set of promises, kept by the embedded Qdrant and by the server's client alike."""

from collections.abc import Callable
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient

from headrace.messaging.errors import Fatal, Retryable
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.points import Point
from services.grounding.adapters.server import ServerPoints
from services.grounding.domain.chunking import Chunk
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.ports import Indexed

pytestmark = [
    pytest.mark.integration,
    # There is no server binary among the packages: the client's local mode stands in, and says what it lacks.
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

ACME = Corpus("acme", "default")
LANES = DocumentKey(ACME, "lanes.md")
Open = Callable[[], PointKnowledge]


@pytest.fixture(params=["edge", "client"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def edge() -> PointKnowledge:
        return PointKnowledge(EdgePoints(tmp_path / "edge", dimensions=lambda: 3))

    def client() -> PointKnowledge:
        local = AsyncQdrantClient(path=str(tmp_path / "local"))
        return PointKnowledge(ServerPoints(local, "knowledge", dimensions=lambda: 3))

    return edge if request.param == "edge" else client


def indexed(*texts: str, digest: str = "d1", direction: tuple[float, float, float] = (1, 0, 0)) -> Indexed:
    chunks = [Chunk(10 * n, 10 * n + len(text), text, ("Guide", f"Part {n}")) for n, text in enumerate(texts)]
    return Indexed("Title", "lanes.md", digest, chunks, [direction] * len(chunks))


async def found(knowledge: PointKnowledge, corpus: Corpus = ACME) -> set[str]:
    return {passage.text for passage in await knowledge.search(corpus, (1, 0, 0), 10)}


async def test_a_passage_comes_back_as_it_was_indexed(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("zero", "one"))
        passages = await knowledge.search(ACME, (1, 0, 0), 10)
    (first,) = [passage for passage in passages if passage.text == "one"]
    assert (first.document_id, first.title, first.uri) == ("lanes.md", "Title", "lanes.md")
    assert (first.start, first.end, first.heading_path) == (10, 13, ("Guide", "Part 1"))
    assert first.score == pytest.approx(1)


async def test_the_nearest_come_first_and_no_more_than_asked(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(DocumentKey(ACME, "far"), indexed("far", direction=(0, 1, 0)))
        await knowledge.replace(DocumentKey(ACME, "near"), indexed("near", direction=(0.9, 0.1, 0)))
        await knowledge.replace(DocumentKey(ACME, "exact"), indexed("exact"))
        assert [passage.text for passage in await knowledge.search(ACME, (1, 0, 0), 2)] == ["exact", "near"]


async def test_tenants_and_collections_never_see_each_other(opened: Open) -> None:
    """INVARIANT: a search sees one collection of one tenant, whatever the ids of the documents."""
    async with opened() as knowledge:
        for corpus in (ACME, Corpus("acme", "other"), Corpus("rival", "default")):
            await knowledge.replace(DocumentKey(corpus, "lanes.md"), indexed(f"{corpus.tenant} {corpus.collection}"))
        assert await found(knowledge) == {"acme default"}
        await knowledge.remove(DocumentKey(Corpus("rival", "default"), "lanes.md"))
        assert await found(knowledge) == {"acme default"}
        assert await found(knowledge, Corpus("acme", "other")) == {"acme other"}
        assert await found(knowledge, Corpus("nobody", "default")) == set()


async def test_a_document_replaces_its_former_self(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b", "c"))
        await knowledge.replace(LANES, indexed("d", digest="d2"))
        assert await found(knowledge) == {"d"}
        assert await knowledge.digest(LANES) == "d2"


async def test_a_removed_document_is_gone_and_removing_it_again_is_harmless(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b"))
        assert await knowledge.remove(LANES) is True
        assert await found(knowledge) == set()
        assert await knowledge.digest(LANES) is None
        assert await knowledge.remove(LANES) is False


async def test_the_version_changes_with_every_change_and_only_for_its_corpus(opened: Open) -> None:
    other = Corpus("rival", "default")
    async with opened() as knowledge:
        versions = [await knowledge.version(ACME)]
        unrelated = await knowledge.version(other)
        await knowledge.replace(LANES, indexed("a"))
        versions.append(await knowledge.version(ACME))
        await knowledge.replace(LANES, indexed("b", digest="d2"))
        versions.append(await knowledge.version(ACME))
        await knowledge.remove(LANES)
        versions.append(await knowledge.version(ACME))
        await knowledge.replace(LANES, indexed("a"))
        versions.append(await knowledge.version(ACME))
        assert len(set(versions)) == len(versions)
        assert await knowledge.version(other) == unrelated


async def test_everything_survives_a_restart(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b"))
        version = await knowledge.version(ACME)
    async with opened() as knowledge:
        assert await found(knowledge) == {"a", "b"}
        assert await knowledge.digest(LANES) == "d1"
        assert await knowledge.version(ACME) == version


async def test_a_document_that_was_cut_off_half_way_is_not_taken_for_indexed(opened: Open) -> None:
    """INVARIANT: a redelivery after a crash does the whole document again; the record of its digest is written last."""
    many = indexed(*(f"text {number}" for number in range(200)), digest="d2")
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("old"))
        version = await knowledge.version(ACME)
        points = knowledge._points
        write, written = points.upsert, 0

        async def upsert_once(batch: list[Point]) -> None:
            nonlocal written
            written += 1
            if written > 1:
                raise Retryable("the power went out")
            await write(batch)

        knowledge._points.upsert = upsert_once  # type: ignore[method-assign,assignment]  # the crash itself
        with pytest.raises(Retryable):
            await knowledge.replace(LANES, many)
        points.upsert = write  # type: ignore[method-assign]  # power is back
        assert await knowledge.digest(LANES) == "d1"
        await knowledge.replace(LANES, many)
        assert await knowledge.digest(LANES) == "d2"
        assert len(await knowledge.search(ACME, (1, 0, 0), 500)) == 200
        assert await knowledge.version(ACME) != version


async def test_a_second_process_cannot_open_the_embedded_index(tmp_path: Path) -> None:
    async with EdgePoints(tmp_path / "edge", dimensions=lambda: 3):
        second = EdgePoints(tmp_path / "edge", dimensions=lambda: 3)
        with pytest.raises(Fatal, match="HEADRACE_QDRANT_URL"):
            await second.__aenter__()


async def test_a_server_that_is_gone_is_worth_another_try() -> None:
    points = ServerPoints.at("http://127.0.0.1:9", "knowledge", dimensions=lambda: 3, api_key=None, timeout_seconds=1)
    async with PointKnowledge(points) as knowledge:
        with pytest.raises(Retryable, match="HEADRACE_QDRANT_URL"):
            await knowledge.search(ACME, (1, 0, 0), 1)
        with pytest.raises(Retryable):
            await knowledge.check()
