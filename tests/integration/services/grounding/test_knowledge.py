"""One set of promises, kept by the embedded Qdrant and by the server's client alike."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from qdrant_client import AsyncQdrantClient

from headrace.messaging.errors import Fatal, Retryable
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.points import DENSE, Point, Points
from services.grounding.adapters.server import ServerPoints
from services.grounding.domain.analysis import stems
from services.grounding.domain.chunking import Chunk
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus, DocumentKey
from services.grounding.domain.entities import Entity
from services.grounding.domain.lexical import passage_weights, question_weights
from services.grounding.domain.ranking import Weights, rank
from services.grounding.ports import Indexed, Probe, Standing

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
        return PointKnowledge(EdgePoints(tmp_path / "edge", dimensions=lambda: {DENSE: 3}))

    def client() -> PointKnowledge:
        local = AsyncQdrantClient(path=str(tmp_path / "local"))
        return PointKnowledge(ServerPoints(local, "knowledge", dimensions=lambda: {DENSE: 3}))

    return edge if request.param == "edge" else client


def indexed(*texts: str, digest: str = "d1", direction: tuple[float, float, float] = (1, 0, 0)) -> Indexed:
    chunks = [Chunk(10 * n, 10 * n + len(text), text, ("Guide", f"Part {n}")) for n, text in enumerate(texts)]
    words = [passage_weights(stems(text)) for text in texts]
    named = [Entity("lanes.md", "document", "Title", "lanes.md")]
    return Indexed("Title", "lanes.md", digest, chunks, [direction] * len(chunks), words, entities=named)


async def search(knowledge: PointKnowledge, corpus: Corpus = ACME, question: str = "") -> list[Passage]:
    probe = Probe([(1, 0, 0)], question_weights(stems(question)))
    return rank(await knowledge.candidates(corpus, probe, Weights(support=0)), Weights(support=0))


async def found(knowledge: PointKnowledge, corpus: Corpus = ACME) -> set[str]:
    return {passage.text for passage in await search(knowledge, corpus)}


async def test_a_passage_comes_back_as_it_was_indexed(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("zero", "one"), 1)
        passages = await search(knowledge)
    (first,) = [passage for passage in passages if passage.text == "one"]
    assert (first.document_id, first.title, first.uri) == ("lanes.md", "Title", "lanes.md")
    assert (first.start, first.end, first.heading_path) == (10, 13, ("Guide", "Part 1"))
    assert first.score == pytest.approx(1)


async def test_the_nearest_come_first(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(DocumentKey(ACME, "far"), indexed("far", direction=(0, 1, 0)), 2)
        await knowledge.replace(DocumentKey(ACME, "near"), indexed("near", direction=(0.9, 0.1, 0)), 3)
        await knowledge.replace(DocumentKey(ACME, "exact"), indexed("exact"), 4)
        assert [passage.text for passage in await search(knowledge)] == ["exact", "near", "far"]


async def test_tenants_and_collections_never_see_each_other(opened: Open) -> None:
    """INVARIANT: a search sees one collection of one tenant, whatever the ids of the documents."""
    async with opened() as knowledge:
        for corpus in (ACME, Corpus("acme", "other"), Corpus("rival", "default")):
            await knowledge.replace(DocumentKey(corpus, "lanes.md"), indexed(f"{corpus.tenant} {corpus.collection}"), 5)
        assert await found(knowledge) == {"acme default"}
        await knowledge.remove(DocumentKey(Corpus("rival", "default"), "lanes.md"), 6)
        assert await found(knowledge) == {"acme default"}
        assert await found(knowledge, Corpus("acme", "other")) == {"acme other"}
        assert await found(knowledge, Corpus("nobody", "default")) == set()


async def test_words_find_what_means_nothing_to_the_encoder(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("the weir hums", "part XK-4711 is greased", direction=(0, 1, 0)), 1)
        passages = await search(knowledge, question="Who greases XK-4711?")
    assert [passage.text for passage in passages] == ["part XK-4711 is greased", "the weir hums"]


async def test_what_a_word_is_worth_is_reckoned_over_the_corpus_alone(opened: Open) -> None:
    """INVARIANT: what one tenant's documents say moves nothing in another's ranking."""
    other = Corpus("rival", "default")
    probe = Probe([(1, 0, 0)], question_weights(stems("weir turbine")))
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("weir", "weir pond", "turbine"), 1)
        before = await knowledge.candidates(ACME, probe, Weights())
        await knowledge.replace(DocumentKey(other, "d"), indexed(*(f"turbine number{n}" for n in range(50))), 2)
        after = await knowledge.candidates(ACME, probe, Weights())
    scores = {each.passage.text: each.lexical for each in before}
    assert scores["turbine"] > scores["weir"] > scores["weir pond"] > 0
    assert {each.passage.text: each.lexical for each in after} == pytest.approx(scores)


async def test_both_ways_to_qdrant_score_words_alike(tmp_path: Path) -> None:
    texts = ("weir low pond", "weir weir", "turbine hums at the weir", "keeper", "part XK-4711")
    probe = Probe([(1, 0, 0)], question_weights(stems("How low is the weir, keeper of XK-4711?")))
    scores = []
    for points in (
        EdgePoints(tmp_path / "edge", dimensions=lambda: {DENSE: 3}),
        ServerPoints(AsyncQdrantClient(path=str(tmp_path / "local")), "knowledge", dimensions=lambda: {DENSE: 3}),
    ):
        async with PointKnowledge(points) as knowledge:
            await knowledge.replace(LANES, indexed(*texts), 1)
            found = await knowledge.candidates(ACME, probe, Weights())
            scores.append({each.passage.text: each.lexical for each in found})
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    assert min(score for text, score in scores[0].items() if text != "turbine hums at the weir") > 0


async def test_names_of_documents_are_known_while_they_are_there(opened: Open) -> None:
    async with opened() as knowledge:
        assert not await knowledge.gazetteer(ACME, "before")
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("text"), 1)
        names = await knowledge.gazetteer(ACME, await knowledge.version(ACME))
        assert [mention.entity.id for mention in names.find("which title")] == ["lanes.md"]
        assert not await knowledge.gazetteer(Corpus("rival", "default"), "v")
    async with opened() as knowledge:
        await knowledge.remove(LANES, 2)
        assert not await knowledge.gazetteer(ACME, await knowledge.version(ACME))


async def test_a_document_replaces_its_former_self(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b", "c"), 7)
        await knowledge.replace(LANES, indexed("d", digest="d2"), 8)
        assert await found(knowledge) == {"d"}
        assert (await knowledge.standing(LANES)).digest == "d2"


async def test_a_removed_document_is_gone_and_removing_it_again_is_harmless(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b"), 9)
        assert await knowledge.remove(LANES, 10) is True
        assert await found(knowledge) == set()
        assert (await knowledge.standing(LANES)).digest is None
        assert await knowledge.remove(LANES, 11) is False


async def test_the_version_changes_with_every_change_and_only_for_its_corpus(opened: Open) -> None:
    other = Corpus("rival", "default")
    async with opened() as knowledge:
        versions = [await knowledge.version(ACME)]
        unrelated = await knowledge.version(other)
        await knowledge.replace(LANES, indexed("a"), 12)
        versions.append(await knowledge.version(ACME))
        await knowledge.replace(LANES, indexed("b", digest="d2"), 13)
        versions.append(await knowledge.version(ACME))
        await knowledge.remove(LANES, 14)
        versions.append(await knowledge.version(ACME))
        await knowledge.replace(LANES, indexed("a"), 15)
        versions.append(await knowledge.version(ACME))
        assert len(set(versions)) == len(versions)
        assert await knowledge.version(other) == unrelated


async def test_everything_survives_a_restart(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("a", "b"), 16)
        version = await knowledge.version(ACME)
    async with opened() as knowledge:
        assert await found(knowledge) == {"a", "b"}
        assert (await knowledge.standing(LANES)).digest == "d1"
        assert await knowledge.version(ACME) == version


async def test_a_document_that_was_cut_off_half_way_is_not_taken_for_indexed(opened: Open) -> None:
    """INVARIANT: a redelivery after a crash does the whole document again; the record of its digest is written last."""
    many = indexed(*(f"text {number}" for number in range(200)), digest="d2")
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("old"), 17)
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
            await knowledge.replace(LANES, many, 18)
        points.upsert = write  # type: ignore[method-assign]  # power is back
        assert (await knowledge.standing(LANES)).digest == "d1"
        await knowledge.replace(LANES, many, 19)
        assert (await knowledge.standing(LANES)).digest == "d2"
        assert len(await search(knowledge)) == 100
        assert await knowledge.version(ACME) != version


async def test_a_second_process_cannot_open_the_embedded_index(tmp_path: Path) -> None:
    async with EdgePoints(tmp_path / "edge", dimensions=lambda: {DENSE: 3}):
        second = EdgePoints(tmp_path / "edge", dimensions=lambda: {DENSE: 3})
        with pytest.raises(Fatal, match="HEADRACE_QDRANT_URL"):
            await second.__aenter__()


async def test_a_server_that_is_gone_is_worth_another_try() -> None:
    points = ServerPoints.at(
        "http://127.0.0.1:9", "knowledge", dimensions=lambda: {DENSE: 3}, api_key=None, timeout_seconds=1
    )
    async with PointKnowledge(points) as knowledge:
        with pytest.raises(Retryable, match="HEADRACE_QDRANT_URL"):
            await search(knowledge)
        with pytest.raises(Retryable):
            await knowledge.check()


async def test_a_document_shows_what_its_last_record_says_in_whatever_order_they_come(opened: Open) -> None:
    """INVARIANT: a late effect of an earlier record changes nothing; positions within a key only rise."""
    async with opened() as knowledge:
        assert await knowledge.replace(LANES, indexed("new", digest="d2"), 7)
        assert not await knowledge.replace(LANES, indexed("old", "older"), 5)
        assert not await knowledge.remove(LANES, 6)
        assert await found(knowledge) == {"new"}
        assert await knowledge.standing(LANES) == Standing(7, "d2")


async def test_a_document_that_is_gone_does_not_come_back_by_a_late_record(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("old"), 5)
        assert await knowledge.remove(LANES, 7)
        assert not await knowledge.replace(LANES, indexed("late"), 6)
        assert await found(knowledge) == set()
        assert await knowledge.replace(LANES, indexed("again"), 8)
        assert await found(knowledge) == {"again"}


async def test_a_document_that_never_was_is_not_made_by_a_record_before_its_tombstone(opened: Open) -> None:
    async with opened() as knowledge:
        assert not await knowledge.remove(LANES, 7)
        assert not await knowledge.replace(LANES, indexed("late"), 6)
        assert await found(knowledge) == set()


async def test_a_record_that_says_the_same_keeps_an_earlier_one_out(opened: Open) -> None:
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("same"), 5)
        assert await knowledge.confirm(LANES, 7)
        assert not await knowledge.replace(LANES, indexed("between", digest="d2"), 6)
        assert not await knowledge.confirm(LANES, 6)
        assert await found(knowledge) == {"same"}
        await knowledge.replace(LANES, indexed("next", digest="d3"), 8)
        assert await found(knowledge) == {"next"}


@pytest.mark.parametrize("overtaken_after", [1, 2, 3, 4, 5])
async def test_a_writer_that_is_overtaken_in_the_middle_shows_nothing(opened: Open, overtaken_after: int) -> None:
    """INVARIANT: a paused process that wakes up goes on where it was, and nobody sees a word of it."""
    late = indexed(*(f"late {number}" for number in range(300)))
    async with opened() as knowledge:
        await knowledge.replace(LANES, indexed("first"), 4)
        overtaking = PointKnowledge(knowledge._points)
        points = knowledge._points
        slow = _Overtaken(points, overtaken_after, lambda: overtaking.replace(LANES, indexed("new", digest="d2"), 7))
        await PointKnowledge(cast("Points", slow)).replace(LANES, late, 5)
        assert slow.happened
        assert await found(knowledge) == {"new"}
        assert await knowledge.standing(LANES) == Standing(7, "d2")


class _Overtaken:
    """Points of a process that is paused before its n-th write, while another does all of its own."""

    def __init__(self, points: Points, nth: int, other: Callable[[], Awaitable[object]]) -> None:
        self._points = points
        self._left = nth
        self._other = other
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._points, name)
        if name not in ("upsert", "exchange", "delete"):
            return found

        async def paused(*args: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self.happened = True
                await self._other()
            return await found(*args, **named)

        return paused
