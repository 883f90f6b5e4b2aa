"""The local span store: one SQLite file that every service of the machine writes to and anybody may read.

A write-ahead log lets readers go on while one process writes; the other writers wait their turn. The file is bounded:
the oldest traces make room for new ones.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import orjson

from headrace.runtime.paths import data_dir
from headrace.telemetry import attributes
from headrace.telemetry.spans import SpanLink, SpanRow

_BUSY_SECONDS: Final = 5.0
# Pruning looks at every so many writes, and takes a tenth at a time, so that most writes pay nothing for it.
_WRITES_BETWEEN_PRUNES: Final = 64

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS traces (
    trace_id TEXT PRIMARY KEY,
    seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS traces_by_age ON traces (seen_ns);
CREATE TABLE IF NOT EXISTS spans (
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    attributes BLOB NOT NULL,
    links BLOB NOT NULL,
    turn_id TEXT,
    PRIMARY KEY (trace_id, span_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_by_turn ON spans (turn_id, trace_id) WHERE turn_id IS NOT NULL;
"""

_COLUMNS: Final = (
    "trace_id, span_id, parent_id, name, service, kind, start_ns, end_ns, status, message, attributes, links"
)


def store_path() -> Path:
    """Where the spans of this machine's services lie."""
    return data_dir() / "traces.sqlite"


class SpanStore:
    """One process's way to write; many may have the same file open. Use it from one thread at a time."""

    def __init__(self, path: Path, *, max_traces: int = 10_000, max_bytes: int = 256 * 2**20) -> None:
        self._path = path
        self._max_traces = max_traces
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._writes = 0

    def write(self, rows: Sequence[SpanRow]) -> None:
        """Add spans in one transaction; a span that is there already is replaced. Raises `sqlite3.Error`."""
        connection = self._connected()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT OR IGNORE INTO traces VALUES (?, ?)",
                {row.trace_id: (row.trace_id, row.start_ns) for row in rows}.values(),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_record, rows)
            )
            self._writes += 1
            if self._writes % _WRITES_BETWEEN_PRUNES == 1:
                self._prune(connection)

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _open(self._path)
        return self._connection

    def _prune(self, connection: sqlite3.Connection) -> None:
        (traces,) = connection.execute("SELECT count(*) FROM traces").fetchone()
        excess = traces - self._max_traces
        if _used_bytes(connection) > self._max_bytes:
            excess = max(excess, 1)
        if excess <= 0:
            return
        oldest = "SELECT trace_id FROM traces ORDER BY seen_ns LIMIT ?"
        count = (max(excess, traces // 10, 1),)
        connection.execute(f"DELETE FROM spans WHERE trace_id IN ({oldest})", count)  # noqa: S608 - a constant
        connection.execute(f"DELETE FROM traces WHERE trace_id IN ({oldest})", count)  # noqa: S608 - a constant


def read_trace(path: Path | None, key: str) -> list[SpanRow]:
    """Return the spans of a turn, by turn id or trace id, in the order of their start; empty where it is unknown.

    A turn that was redriven has more than one trace: all of them are returned. `path=None` is this machine's store.
    """
    path = path or store_path()
    if not path.exists():
        return []
    with closing(_open_to_read(path)) as connection:
        found = _tolerant(
            connection,
            f"SELECT {_COLUMNS} FROM spans WHERE trace_id = ?"  # noqa: S608 - a constant
            " OR trace_id IN (SELECT trace_id FROM spans WHERE turn_id = ?) ORDER BY start_ns, span_id",
            key.lower(),
            key,
        )
    return [_row(dict(record)) for record in found]


def latest_turn(path: Path | None = None) -> str | None:
    """Return the id of the turn that began last, or None where the store knows none."""
    path = path or store_path()
    if not path.exists():
        return None
    with closing(_open_to_read(path)) as connection:
        found = _tolerant(
            connection,
            "SELECT spans.turn_id FROM traces JOIN spans USING (trace_id) WHERE spans.turn_id IS NOT NULL"
            " ORDER BY traces.seen_ns DESC, spans.start_ns LIMIT 1",
        )
    return str(found[0]["turn_id"]) if found else None


def _open_to_read(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    connection.row_factory = sqlite3.Row
    return connection


def _tolerant(connection: sqlite3.Connection, query: str, *parameters: str) -> list[sqlite3.Row]:
    """Read nothing where the file is there before its tables are: a store that nobody has written to yet."""
    try:
        return connection.execute(query, parameters).fetchall()
    except sqlite3.OperationalError as exc:
        if "no such table" in str(exc):
            return []
        raise


def _open(path: Path) -> sqlite3.Connection:
    """Open the file and make its tables. Switching to the write-ahead log does not wait for others by itself."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; a power cut may lose the last moments, which is enough for traces.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as exc:
            connection.close()
            if "locked" not in str(exc) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return connection


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of pages in use: what was freed is filled again before the file grows."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def _record(row: SpanRow) -> tuple[object, ...]:
    turn_id = row.attributes.get(attributes.TURN_ID)
    return (
        row.trace_id,
        row.span_id,
        row.parent_id,
        row.name,
        row.service,
        row.kind,
        row.start_ns,
        row.end_ns,
        row.status,
        row.message,
        orjson.dumps(dict(row.attributes), default=str, option=orjson.OPT_NON_STR_KEYS),
        orjson.dumps([(link.trace_id, link.span_id) for link in row.links]),
        None if turn_id is None else str(turn_id),
    )


def _row(record: Mapping[str, Any]) -> SpanRow:
    decoded = {
        "attributes": orjson.loads(record["attributes"]),
        "links": tuple(SpanLink(*link) for link in orjson.loads(record["links"])),
    }
    return SpanRow(**{**record, **decoded})
