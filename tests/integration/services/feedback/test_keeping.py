"""From feedback and turns to a real database and back."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Table, event, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from headrace.messaging.errors import Fatal, Invalid, Retryable
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import Citation, ResponseCompleted
from headrace.v1.reviews_pb2 import ReviewSubmitted
from headrace.v1.turns_pb2 import Final, Prepared, Turn
from services.feedback.adapters.schema import feedback, turns
from services.feedback.adapters.store import SqlStore
from services.feedback.app import build_app
from services.feedback.domain.feedback import Limits
from services.feedback.domain.reporting import Summary, Window
from services.feedback.handlers.keeping import Keeping
from services.feedback.settings import Settings
from tests.fakes.contexts import NOW_MS, a_context

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "feedback.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore.at(f"sqlite:///{path}")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def keeping(store: SqlStore) -> Keeping:
    return Keeping(store, Limits(), retention_ms=90 * DAY_MS)


async def count(path: Path, table: Table) -> int:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    async with engine.connect() as connection:
        rows = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    await engine.dispose()
    return int(rows)


def found(path: Path) -> bool:
    return path.exists()


def a_turn(turn_id: str, *, model: str = "m", arm: str = "default", tenant: str = "acme") -> Turn:
    completed = ResponseCompleted(
        status=ResponseCompleted.ANSWERED,
        text="Free.",
        model=model,
        versions={"template": "chat/1", "pipeline": "chat/1"},
        citations=[Citation(marker="[1]", document_id="shipping")],
    )
    return Turn(
        turn_id=turn_id,
        tenant=tenant,
        arm=arm,
        prompt=PromptSubmitted(text="Is shipping free?"),
        prepared=Prepared(text="Is shipping free?"),
        final=Final(completed=completed),
    )


def a_thumb(turn_id: str, rating: int, *, feedback_id: str = "", comment: str = "") -> FeedbackSubmitted:
    return FeedbackSubmitted(
        feedback_id=feedback_id or str(uuid4()), turn_id=turn_id, tenant="acme", rating=rating, comment=comment
    )


async def test_feedback_is_joined_with_how_its_answer_came_about(keeping: Keeping, store: SqlStore) -> None:
    ids = [str(uuid4()) for _ in range(4)]
    for turn_id, model in zip(ids, ("m", "m", "m", "n"), strict=True):
        await keeping.turn(a_turn(turn_id, model=model), a_context())
    await keeping.feedback(a_thumb(ids[0], 1), a_context())
    await keeping.feedback(a_thumb(ids[1], -1, comment="No."), a_context())
    await keeping.feedback(
        FeedbackSubmitted(
            feedback_id=str(uuid4()),
            turn_id=ids[1],
            scale="stars",
            rating=3,
            tenant="acme",
            reasons=["style", "accuracy"],
        ),
        a_context(),
    )
    assert list(await store.summaries(Window())) == [
        Summary(
            "m",
            "chat/1",
            "default",
            turns=3,
            ratings=3,
            mean_worth=0.5,
            comments=1,
            corrections=0,
            up=1,
            down=1,
            stars=(0, 0, 1, 0, 0),
            reasons=(("accuracy", 1), ("style", 1)),
        ),
        Summary("n", "chat/1", "default", turns=1, ratings=0, mean_worth=None, comments=0, corrections=0),
    ]


async def test_feedback_may_come_before_its_turn(keeping: Keeping, store: SqlStore) -> None:
    turn_id = str(uuid4())
    await keeping.feedback(a_thumb(turn_id, 1), a_context())
    await keeping.turn(a_turn(turn_id), a_context())
    (summary,) = await store.summaries(Window(tenant="acme"))
    assert (summary.turns, summary.ratings, summary.mean_worth) == (1, 1, 1.0)


async def test_a_redelivery_is_kept_once(keeping: Keeping, path: Path) -> None:
    turn_id = str(uuid4())
    thumb = a_thumb(turn_id, 1)
    for _ in range(3):
        await keeping.turn(a_turn(turn_id), a_context())
        await keeping.feedback(thumb, a_context())
    assert (await count(path, turns), await count(path, feedback)) == (1, 1)


@pytest.mark.parametrize("order", [(4, 9), (9, 4), (4, 9, 4), (9, 9)])
async def test_who_changes_their_mind_is_heard_in_whatever_order_it_is_written(
    keeping: Keeping, store: SqlStore, order: tuple[int, ...]
) -> None:
    """INVARIANT: of two records with one id the later in the log stands; a late effect of the earlier is none."""
    turn_id, feedback_id = str(uuid4()), str(uuid4())
    for position in order:
        rating = -1 if position == 9 else 1
        await keeping.feedback(a_thumb(turn_id, rating, feedback_id=feedback_id), a_context(position=position))
        await keeping.turn(a_turn(turn_id, model=f"model of {position}"), a_context(position=position))
    (summary,) = await store.summaries(Window())
    assert (summary.model, summary.ratings, summary.mean_worth) == ("model of 9", 1, 0.0)


async def test_a_database_of_an_earlier_version_learns_where_its_rows_come_from(path: Path) -> None:
    store = SqlStore.at(f"sqlite:///{path}")
    await store.open()
    with closing(sqlite3.connect(path)) as database:
        for table in ("turns", "feedback"):
            database.execute(f"ALTER TABLE {table} DROP COLUMN position")
        database.execute("ALTER TABLE feedback DROP COLUMN reasons")
    for _ in range(2):
        await store.open()
    keeping = Keeping(store, Limits(), retention_ms=DAY_MS)
    turn_id = str(uuid4())
    await keeping.turn(a_turn(turn_id), a_context())
    await keeping.feedback(a_thumb(turn_id, 1), a_context())
    assert len(await store.summaries(Window())) == 1
    await store.close()


async def test_tenants_do_not_meet(keeping: Keeping, store: SqlStore) -> None:
    """INVARIANT: an id is a tenant's own: nobody overwrites or rates another's turn by knowing its id."""
    turn_id = str(uuid4())
    await keeping.turn(a_turn(turn_id, tenant="acme"), a_context())
    await keeping.turn(a_turn(turn_id, tenant="other", model="n"), a_context())
    await keeping.feedback(a_thumb(turn_id, 1), a_context())
    (acme,) = await store.summaries(Window(tenant="acme"))
    (other,) = await store.summaries(Window(tenant="other"))
    assert (acme.model, acme.ratings, other.model, other.ratings) == ("m", 1, "n", 0)


async def test_what_is_no_feedback_names_its_field(keeping: Keeping, path: Path) -> None:
    with pytest.raises(Invalid, match="one of -1, 1") as caught:
        await keeping.feedback(a_thumb(str(uuid4()), 5), a_context())
    assert (caught.value.code, caught.value.field) == ("out_of_range", "rating")
    assert await count(path, feedback) == 0


async def test_reviews_and_tombstones_are_not_kept(keeping: Keeping, path: Path) -> None:
    await keeping.turn(Turn(turn_id="t", review=ReviewSubmitted(review_id="r1")), a_context())
    await keeping.turn(None, a_context())
    await keeping.feedback(None, a_context())
    assert (await count(path, turns), await count(path, feedback)) == (0, 0)


async def test_what_is_older_than_the_retention_is_forgotten(keeping: Keeping, path: Path) -> None:
    old = NOW_MS - 91 * DAY_MS
    await keeping.turn(a_turn(str(uuid4())), a_context(now_ms=old))
    await keeping.feedback(a_thumb(str(uuid4()), 1), a_context(now_ms=old))
    await keeping.turn(a_turn(str(uuid4())), a_context(now_ms=NOW_MS))
    assert (await count(path, turns), await count(path, feedback)) == (1, 0)


async def test_what_was_kept_survives_a_restart(keeping: Keeping, store: SqlStore, path: Path) -> None:
    await keeping.turn(a_turn(str(uuid4())), a_context())
    await store.close()
    again = SqlStore.at(f"sqlite:///{path}")
    await again.open()
    assert len(await again.summaries(Window())) == 1
    await again.close()


async def test_a_database_that_is_away_is_tried_again_and_nobodys_words_are_in_the_error() -> None:
    store = SqlStore.at("postgresql://nobody:sekrit@127.0.0.1:1/feedback")
    keeping = Keeping(store, Limits(), retention_ms=DAY_MS)
    with pytest.raises(Retryable) as caught:
        await keeping.feedback(a_thumb(str(uuid4()), 1, comment="sekrit"), a_context())
    assert "sekrit" not in str(caught.value)
    await store.close()


async def test_a_database_that_is_so_slow_that_no_connection_is_free_is_tried_again(path: Path) -> None:
    path.parent.mkdir()
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0, pool_timeout=0.05)
    keeping = Keeping(SqlStore(engine), Limits(), retention_ms=DAY_MS)
    async with engine.connect():
        with pytest.raises(Retryable, match="did not answer: TimeoutError"):
            await keeping.feedback(a_thumb(str(uuid4()), 1), a_context())
    await engine.dispose()


async def test_a_full_disk_is_said_and_goes_on_when_there_is_room(path: Path) -> None:
    path.parent.mkdir()
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    pages = ["20"]

    @event.listens_for(engine.sync_engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages[-1]}")

    store = SqlStore(engine)
    await store.open()
    keeping = Keeping(store, Limits(), retention_ms=DAY_MS)

    async def fill() -> None:
        for _ in range(100):
            await keeping.feedback(a_thumb(str(uuid4()), 1, comment="x" * 4_000), a_context())

    with pytest.raises(Retryable, match="has no room left: make some"):
        await fill()
    pages.append("10000")
    await keeping.feedback(a_thumb(str(uuid4()), 1), a_context())
    await store.close()


def test_an_unsupported_database_is_refused_at_the_start() -> None:
    with pytest.raises(Fatal, match="HEADRACE_FEEDBACK_DATABASE_URL"):
        SqlStore.at("mysql://host/feedback")


async def test_the_service_opens_its_database_and_closes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path))
    database = tmp_path / "feedback" / "feedback.sqlite"
    service = build_app(Settings())
    assert not found(database)
    async with service.lifespan():
        await service.ready["database"]()
    assert found(database)
