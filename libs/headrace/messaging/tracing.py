"""Trace context on messages: each stage is a child of the stage that published to it."""

from collections.abc import Mapping

from opentelemetry import propagate, trace
from opentelemetry.context import Context

tracer = trace.get_tracer("headrace.messaging")


def parent_of(headers: Mapping[str, str]) -> Context:
    """The context that the publisher of these headers was in."""
    return propagate.extract(dict(headers))


def inject(headers: dict[str, str]) -> None:
    """Write the current context into headers that are about to be published."""
    propagate.inject(headers)


def current_trace_id() -> str:
    """The current trace, 32 hexadecimal digits; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else ""
