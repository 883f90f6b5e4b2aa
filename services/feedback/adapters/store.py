"""The store in SQL: SQLite by default, PostgreSQL by URL."""

import errno
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateColumn

from headrace.messaging.errors import Fatal, Invalid, Retryable
from services.feedback.adapters import reading
from services.feedback.adapters.schema import feedback, metadata, turns
from services.feedback.domain.feedback import CompletedTurn, Feedback
from services.feedback.domain.reporting import Summary, Window
from services.feedback.domain.training import Rated

_Insert = sqlite.Insert | postgresql.Insert
_INSERTS: Mapping[str, Callable[[Table], _Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
# Asynchronous drivers of the databases that are supported; a URL may name the database alone.
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

_POSTGRES_DISK_FULL = "53100"


class SqlStore:
    """Every write is one upsert in one transaction: a redelivery changes nothing, a crash leaves nothing half."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        insert = _INSERTS[engine.dialect.name]
        # Composed once: to build it took 1.4 of the 3.3 ms of processor that a write to SQLite cost.
        self._keep_turn, self._keep_feedback = (_upsert(insert(table), table) for table in (turns, feedback))

    @classmethod
    def at(cls, url: str) -> "SqlStore":
        """A store at this URL; nothing is opened before it is used."""
        return cls(_engine(_asynchronous(url)))

    async def open(self, *, create: bool = True) -> None:
        """Create the tables that are not there yet, and a SQLite file; `Invalid` where that is not to be made."""
        if self._engine.dialect.name == "sqlite" and self._engine.url.database:
            _place(Path(self._engine.url.database), create=create)
        async with self._transaction() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.run_sync(_add_columns)

    async def check(self) -> None:
        """Raise where the database does not answer."""
        async with self._transaction() as connection:
            await connection.execute(select(1))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def keep_feedback(self, said: Feedback, position: int) -> None:
        values = {**asdict(said), "worth": said.worth, "reasons": ",".join(said.reasons), "position": position}
        await self._execute(self._keep_feedback, values)

    async def keep_turn(self, turn: CompletedTurn, position: int) -> None:
        await self._execute(self._keep_turn, {**asdict(turn), "documents": list(turn.documents), "position": position})

    async def forget_before(self, epoch_ms: int) -> int:
        async with self._transaction() as connection:
            gone = await connection.execute(delete(turns).where(turns.c.completed_at_ms < epoch_ms))
            said = await connection.execute(delete(feedback).where(feedback.c.submitted_at_ms < epoch_ms))
        return gone.rowcount + said.rowcount

    async def summaries(self, window: Window) -> Sequence[Summary]:
        async with self._transaction() as connection:
            return await reading.summaries(connection, window)

    async def rated(self, window: Window) -> AsyncGenerator[Rated, None]:
        async with self._transaction() as connection:
            async for rated in reading.rated(connection, window):
                yield rated

    async def _execute(self, statement: _Insert, values: Mapping[str, Any]) -> None:
        async with self._transaction() as connection:
            await connection.execute(statement, values)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (DataError, IntegrityError) as exc:
            # Another try would bring the same values, such as a NUL that PostgreSQL does not take.
            raise Invalid(f"the feedback database does not take these values: {_reason(exc)}") from None
        except (DBAPIError, DisconnectionError, NoConnectionFree, OSError, TimeoutError) as exc:
            if _is_full(exc):
                raise Retryable("the feedback database has no room left: make some, and it goes on by itself") from None
            # The statement and its values stay out of the message: they hold what people wrote.
            raise Retryable(f"the feedback database did not answer: {_reason(exc)}") from None
        except SQLAlchemyError as exc:
            raise Fatal(f"the feedback database cannot be used: {type(exc).__name__}") from exc


def _place(file: Path, *, create: bool) -> None:
    if not create and not file.is_file():
        raise Invalid(f"there is no feedback yet: {file} does not exist; HEADRACE_DATA_DIR says where it lies")
    file.parent.mkdir(parents=True, exist_ok=True)


def _upsert(insert: _Insert, table: Table) -> _Insert:
    """Takes a value for every column."""
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column.name: insert.excluded[column.name] for column in table.c if not column.primary_key},
        # What comes late of an earlier record changes nothing: positions within a key only rise.
        where=insert.excluded["position"] >= table.c["position"],
    )


def _add_columns(connection: Connection) -> None:
    """Give tables of an earlier version the columns that they lack."""
    for table, added in ((turns, ("position",)), (feedback, ("position", "reasons"))):
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for name in added:
            if name not in there:
                described = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {described}"))


def _asynchronous(url: str) -> URL:
    parsed = make_url(url)
    if parsed.get_backend_name() not in _DRIVERS:
        raise Fatal("HEADRACE_FEEDBACK_DATABASE_URL must begin with sqlite: or postgresql:")
    return parsed if "+" in parsed.drivername else parsed.set(drivername=_DRIVERS[parsed.drivername])


def _engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # WAL: a reader never waits for the writer. FULL: an offset is committed only for what a power cut leaves in place.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _is_full(exc: BaseException) -> bool:
    cause: Any = getattr(exc, "orig", None) or exc
    code = getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None), getattr(cause, "errno", None)
    return code[0] == sqlite3.SQLITE_FULL or code[1] == _POSTGRES_DISK_FULL or code[2] == errno.ENOSPC


def _reason(exc: BaseException) -> str:
    return type(getattr(exc, "orig", None) or exc).__name__
