"""The trace of a turn as its services would leave it."""

from dataclasses import replace

from headrace.telemetry import attributes
from headrace.telemetry.spans import SpanRow

TRACE = "0af7651916cd43dd8448eb211c80319c"
TURN = "0b9d8c1e-1111-4222-8333-444455556666"
START_NS = 1_700_000_000_000_000_000


def span(
    name: str, service: str, parent: str | None, *, at_ms: float, work_ms: float, queue_ms: float = 0.0
) -> SpanRow:
    """A span whose id is made of its name, so that a test can say on whom it hangs."""
    facts: dict[str, object] = {attributes.TURN_ID: TURN}
    if queue_ms:
        facts[attributes.QUEUE_MS] = queue_ms
    return SpanRow(
        trace_id=TRACE,
        span_id=name,
        parent_id=parent,
        name=name,
        service=service,
        kind="consumer",
        start_ns=START_NS + int(at_ms * 1e6),
        end_ns=START_NS + int((at_ms + work_ms) * 1e6),
        attributes=facts,
    )


def chat_trace() -> list[SpanRow]:
    """A streamed answer through all services, 400 ms long."""
    return [
        span("ask", "gateway", None, at_ms=0, work_ms=400),
        span("process prompts", "preprocessing", "ask", at_ms=4, work_ms=6, queue_ms=2),
        span("process grounding", "grounding", "process prompts", at_ms=14, work_ms=20, queue_ms=3),
        span("process safety", "safety", "process grounding", at_ms=37, work_ms=8, queue_ms=2),
        span("process inference", "inference", "process safety", at_ms=50, work_ms=300, queue_ms=4),
        span("chat smollm2", "inference", "process inference", at_ms=51, work_ms=298),
        span("stream gate", "safety", "process inference", at_ms=120, work_ms=232, queue_ms=1),
        span("stream deltas", "postprocessing", "stream gate", at_ms=125, work_ms=230, queue_ms=1),
        span("deliver", "gateway", "stream deltas", at_ms=127, work_ms=265),
        span("process output", "safety", "process inference", at_ms=355, work_ms=10, queue_ms=3),
        span("process postprocessing", "postprocessing", "process output", at_ms=370, work_ms=15, queue_ms=2),
        span("process completed", "feedback", "process postprocessing", at_ms=388, work_ms=2, queue_ms=1),
    ]


def without(name: str, spans: list[SpanRow]) -> list[SpanRow]:
    """The trace less one span."""
    return [row for row in spans if row.name != name]


def rehung(name: str, parent: str | None, spans: list[SpanRow]) -> list[SpanRow]:
    """The trace with one span on another parent."""
    return [replace(row, parent_id=parent) if row.name == name else row for row in spans]
