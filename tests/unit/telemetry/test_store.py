import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.telemetry import attributes
from headrace.telemetry.spans import SpanLink
from headrace.telemetry.store import SpanStore, latest_turn, read_trace
from tests.fakes.trace import TRACE, TURN, chat_trace, span


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "traces.sqlite"


def test_a_span_comes_back_as_it_went_in(path: Path) -> None:
    row = replace(
        span("ask", "gateway", None, at_ms=0, work_ms=1.5, queue_ms=0.25),
        status="error",
        message="Retryable: the broker is away",
        links=(SpanLink("a" * 32, "b" * 16),),
        attributes={attributes.TURN_ID: TURN, "n": 3, "on": True, "score": 0.5, "rules": ["a", "b"]},
    )
    store = SpanStore(path)
    store.write([row])
    store.close()
    assert read_trace(path, TURN) == [row]


def test_a_turn_is_found_by_any_span_that_names_it_and_by_its_trace(path: Path) -> None:
    spans = [replace(row, attributes={}) for row in chat_trace()]
    spans[3] = chat_trace()[3]
    store = SpanStore(path)
    store.write(spans)
    store.close()
    by_turn = read_trace(path, TURN)
    assert [row.span_id for row in by_turn] == [row.span_id for row in sorted(spans, key=lambda row: row.start_ns)]
    assert read_trace(path, TRACE) == by_turn
    assert read_trace(path, TRACE.upper()) == by_turn


def test_a_turn_that_was_redriven_brings_all_its_traces(path: Path) -> None:
    store = SpanStore(path)
    store.write(chat_trace())
    store.write([replace(row, trace_id="f" * 32) for row in chat_trace()])
    store.close()
    assert {row.trace_id for row in read_trace(path, TURN)} == {TRACE, "f" * 32}


def test_a_span_written_twice_is_there_once(path: Path) -> None:
    store = SpanStore(path)
    store.write(chat_trace())
    store.write(chat_trace())
    store.close()
    assert len(read_trace(path, TURN)) == len(chat_trace())


def test_what_is_unknown_is_an_empty_list_before_and_after_the_first_write(path: Path) -> None:
    assert read_trace(path, TURN) == []
    path.parent.mkdir()
    path.touch()
    assert read_trace(path, TURN) == []
    assert latest_turn(path) is None
    store = SpanStore(path)
    store.write(chat_trace())
    store.close()
    assert read_trace(path, "another") == []


def test_the_turn_that_began_last_is_known(path: Path) -> None:
    store = SpanStore(path)
    later = span("ask", "gateway", None, at_ms=5000, work_ms=1)
    store.write([replace(later, trace_id="f" * 32, attributes={attributes.TURN_ID: "later"})])
    store.write(chat_trace())
    store.close()
    assert latest_turn(path) == "later"


def test_the_oldest_traces_make_room(path: Path) -> None:
    store = SpanStore(path, max_traces=50)
    for number in range(400):
        row = span("ask", "gateway", None, at_ms=number, work_ms=1)
        store.write([replace(row, trace_id=f"{number:032x}", attributes={attributes.TURN_ID: f"turn {number}"})])
    store.close()
    with sqlite3.connect(path) as connection:
        (traces,) = connection.execute("SELECT count(*) FROM traces").fetchone()
        (spans,) = connection.execute("SELECT count(*) FROM spans").fetchone()
    connection.close()
    assert traces == spans <= 50 + 64
    assert read_trace(path, "turn 0") == []
    assert read_trace(path, "turn 399") != []


def test_the_file_stays_near_its_bound(path: Path) -> None:
    store = SpanStore(path, max_bytes=2**20)
    for number in range(1500):
        row = span("ask", "gateway", None, at_ms=number, work_ms=1)
        store.write([replace(row, trace_id=f"{number:032x}", attributes={"fill": "x" * 4000})])
    store.close()
    assert path.stat().st_size < 3 * 2**20


def test_a_reader_reads_on_while_a_writer_writes(path: Path) -> None:
    store = SpanStore(path)
    store.write(chat_trace())
    connection = store._connected()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM spans")
    assert len(read_trace(path, TURN)) == len(chat_trace())
    connection.execute("ROLLBACK")
    store.close()
