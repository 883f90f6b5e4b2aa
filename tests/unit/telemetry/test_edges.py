from dataclasses import replace

from headrace.telemetry.edges import chat_edges, review_edges, violations
from tests.fakes.trace import chat_trace, rehung, span, without


def test_the_trace_of_a_whole_turn_holds() -> None:
    assert violations(chat_trace(), chat_edges()) == []


def test_no_spans_are_no_trace() -> None:
    assert violations([], chat_edges()) == ["there are no spans"]


def test_an_orphan_is_named_with_the_parent_that_it_lacks() -> None:
    assert violations(rehung("stream gate", "lost", chat_trace()), chat_edges()) == [
        "safety: stream gate is an orphan: its parent lost is not in the trace"
    ]


def test_a_flat_trace_is_refused_although_nothing_is_missing() -> None:
    """Frameworks hang every consumer on the first producer: nobody could tell who waited for whom."""
    assert violations(rehung("process safety", "ask", chat_trace()), chat_edges()) == [
        "safety: process safety hangs on gateway: ask instead of process grounding"
    ]


def test_two_roots_are_two_traces_in_one() -> None:
    found = violations(rehung("process output", None, chat_trace()), chat_edges())
    assert "there are 2 roots instead of one: gateway: ask, safety: process output" in found
    assert "safety: process output is a root instead of process inference" in found


def test_a_stage_that_left_no_span_is_missed() -> None:
    spans = rehung("process safety", "process prompts", without("process grounding", chat_trace()))
    assert "grounding: process grounding is missing" in violations(spans, chat_edges())


def test_a_stream_and_its_delivery_are_apart_the_first_is_missed_the_second_may_be() -> None:
    assert violations(without("deliver", chat_trace()), chat_edges()) == []
    assert violations(without("deliver", without("stream deltas", chat_trace())), chat_edges()) == [
        "postprocessing: stream deltas is missing"
    ]


def test_a_refused_turn_goes_from_safety_to_the_last_stage() -> None:
    spans = [
        *chat_trace()[:4],
        span("process postprocessing", "postprocessing", "process safety", at_ms=60, work_ms=5),
    ]
    stages = ("prompts", "grounding", "safety", "postprocessing")
    assert violations(spans, chat_edges(stages)) == []
    assert violations(spans, chat_edges()) != []


def test_a_prompt_that_a_producer_put_on_the_topic_begins_its_own_trace() -> None:
    spans = rehung("process prompts", None, without("deliver", without("ask", chat_trace())))
    assert violations(spans, chat_edges(entry="")) == []


def test_a_review_runs_without_gateway_and_stream() -> None:
    spans = [
        span("process reviews", "preprocessing", None, at_ms=0, work_ms=2),
        span("process safety", "safety", "process reviews", at_ms=3, work_ms=2),
        span("process inference", "inference", "process safety", at_ms=6, work_ms=9),
        span("process postprocessing", "postprocessing", "process inference", at_ms=16, work_ms=1),
    ]
    assert violations(spans, review_edges()) == []


def test_details_within_a_service_are_its_own_affair_but_work_crosses_only_along_an_edge() -> None:
    at_home = span("retrieve", "grounding", "process grounding", at_ms=15, work_ms=3)
    smuggled = span("retrieve", "grounding", "process inference", at_ms=60, work_ms=3)
    assert violations([*chat_trace(), at_home], chat_edges()) == []
    assert violations([*chat_trace(), smuggled], chat_edges()) == [
        "grounding: retrieve hangs on inference: process inference, which the table does not know"
    ]


def test_an_effect_does_not_begin_before_its_cause() -> None:
    early = [*without("process output", chat_trace())]
    early.append(span("process output", "safety", "process inference", at_ms=10, work_ms=400))
    assert violations(early, chat_edges()) == [
        "safety: process output starts before inference: process inference, on which it hangs"
    ]


def test_the_spans_of_one_turn_are_of_one_trace() -> None:
    spans = chat_trace()
    spans[-1] = replace(spans[-1], trace_id="f" * 32)
    assert any("2 traces" in told for told in violations(spans, chat_edges()))
