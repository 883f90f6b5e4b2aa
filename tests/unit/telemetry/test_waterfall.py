import random

import orjson
import pytest

from headrace.telemetry.waterfall import arrange
from tests.fakes.trace import chat_trace, rehung, span


def test_children_stand_under_their_parents_in_the_order_of_time() -> None:
    shuffled = chat_trace()
    random.shuffle(shuffled)
    lines = arrange(shuffled).lines
    assert [(line.depth, line.span.name) for line in lines] == [
        (0, "ask"),
        (1, "process prompts"),
        (2, "process grounding"),
        (3, "process safety"),
        (4, "process inference"),
        (5, "chat smollm2"),
        (5, "stream gate"),
        (6, "stream deltas"),
        (7, "deliver"),
        (5, "process output"),
        (6, "process postprocessing"),
        (7, "process completed"),
    ]


def test_waiting_is_apart_from_working() -> None:
    line = next(line for line in arrange(chat_trace()).lines if line.span.name == "process grounding")
    assert (line.offset_ms, line.queue_ms, line.work_ms) == pytest.approx((11.0, 3.0, 20.0))
    assert line.end_ms == pytest.approx(34.0)


def test_the_total_runs_from_the_first_wait_to_the_last_end() -> None:
    spans = [span("process prompts", "preprocessing", None, at_ms=50, work_ms=10, queue_ms=40)]
    assert arrange(spans).total_ms == pytest.approx(50.0)
    assert arrange(chat_trace()).total_ms == pytest.approx(400.0)


def test_a_span_whose_parent_is_not_there_stands_at_the_top_and_is_not_lost() -> None:
    lines = arrange(rehung("stream gate", "lost", chat_trace())).lines
    assert len(lines) == len(chat_trace())
    assert next(line.depth for line in lines if line.span.name == "stream gate") == 0


def test_nothing_arranges_to_nothing() -> None:
    assert arrange([]).lines == ()


def test_it_is_plain_json_for_the_page() -> None:
    data = orjson.loads(orjson.dumps(arrange(chat_trace()).as_json()))
    assert data["total_ms"] == pytest.approx(400.0)
    assert data["spans"][1]["queue_ms"] == pytest.approx(2.0)
    assert data["spans"][1]["service"] == "preprocessing"
