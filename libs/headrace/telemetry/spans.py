"""A span as it is read back: what the CLI, the gateway and the chat page know of a trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headrace.telemetry import attributes as names

SpanStatus = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span that this one follows from without being its child."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One finished span; ids are lower-case hexadecimal, times epoch nanoseconds, `parent_id` is None at the root."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    kind: str
    start_ns: int
    end_ns: int
    status: SpanStatus = "unset"
    # Why it failed, where it did.
    message: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[SpanLink, ...] = ()

    @property
    def queue_ms(self) -> float:
        """How long the message waited before this span began; 0 for a span that consumed none."""
        return float(self.attributes.get(names.QUEUE_MS, 0.0))

    @property
    def work_ms(self) -> float:
        """How long the span itself took."""
        return (self.end_ns - self.start_ns) / 1e6
