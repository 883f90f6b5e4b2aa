"""What finished turns keep in memory, and that it is what they are counted with."""

import asyncio
import gc
import tracemalloc
import uuid
from time import monotonic

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.gateway.domain.answers import Answer, Citation, Piece, Status, Timing
from services.gateway.domain.shelf import Shelf
from services.gateway.domain.turn_log import Cursor, Ended, Restarted, Shown
from services.gateway.handlers import watching
from services.gateway.handlers.turns import Turns
from services.gateway.handlers.watching import Watch

_TURNS = 100


class Counting(Shelf):
    """A shelf that says what it was told."""

    def __init__(self) -> None:
        super().__init__(1 << 40)
        self.counted = 0

    def put(self, turn_id: str, size: int) -> list[str]:
        self.counted += size
        return super().put(turn_id, size)


def turns_on(shelf: Shelf) -> Turns:
    return Turns(shelf=shelf, stragglers_s=1, wait_s=100)


def answered(turns: Turns, *, pieces: int, sources: int) -> None:
    """One turn from its question to its end, every string an object of its own as those from Kafka are."""
    turn_id = str(uuid.uuid4())
    turn = turns.hold(turn_id)
    turn.accepted.set_result(None)
    turn.watch = Watch(monotonic(), watching.tracer.start_span("ask", attributes={"turn": turn_id}))
    texts = [uuid.uuid4().hex[:11] for _ in range(pieces)]
    for seq, text in enumerate(texts):
        turns.feed(turn_id, Piece(1, seq, text, uuid.uuid4().hex))
    turns.feed(
        turn_id,
        Answer(
            attempt=1,
            status=Status.ANSWERED,
            text="".join(texts),
            delta_count=pieces,
            conversation_id=str(uuid.uuid4()),
            citations=tuple(
                Citation(f"[{n}]", uuid.uuid4().hex, uuid.uuid4().hex, uuid.uuid4().hex, 0, 900, n / 7, "é" * (900 + n))
                for n in range(sources)
            ),
            timings={uuid.uuid4().hex[:12]: Timing(n + 0.25, n + 0.5) for n in range(6)},
            versions={uuid.uuid4().hex[:8]: uuid.uuid4().hex[:8] for _ in range(6)},
            trace_id=uuid.uuid4().hex,
        ),
    )


@pytest.mark.parametrize(("pieces", "sources"), [(1, 0), (40, 0), (200, 0), (40, 8)])
async def test_a_finished_turn_is_counted_with_what_it_takes(
    pieces: int, sources: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "tracer", TracerProvider().get_tracer("test"))
    shelf = Counting()
    turns = turns_on(shelf)
    answered(turns, pieces=pieces, sources=sources)
    gc.collect()
    first = shelf.counted
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(_TURNS):
            answered(turns, pieces=pieces, sources=sources)
        await asyncio.sleep(0)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    taken, counted = (after - before) / _TURNS, (shelf.counted - first) / _TURNS
    assert taken <= counted <= 1.5 * taken, f"{taken:.0f} bytes taken, {counted:.0f} counted"
    turns.close()


async def test_what_falls_off_the_shelf_is_not_held() -> None:
    turns = turns_on(Shelf(0))
    held = turns.hold("t")
    turns.feed("t", Answer(attempt=1, status=Status.ANSWERED, text="Yes.", delta_count=0))
    assert held.log.closed
    assert turns.get("t") is None


async def test_everybody_who_waits_sees_the_end() -> None:
    turns = turns_on(Shelf(1 << 20))
    held = turns.hold("t")

    async def read() -> list[Shown | Restarted | Ended]:
        return [event async for event in held.follow(Cursor())]

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0)
    turns.feed("t", Piece(1, 0, "Yes", "v"))
    await asyncio.sleep(0)
    readers.append(asyncio.create_task(read()))
    final = Answer(attempt=1, status=Status.ANSWERED, text="Yes.", delta_count=2)
    turns.feed("t", Piece(1, 1, ".", "v"))
    turns.feed("t", final)
    for seen in await asyncio.gather(*readers):
        assert seen == [Shown(1, 0, "Yes"), Shown(1, 1, "."), Ended(final)]
