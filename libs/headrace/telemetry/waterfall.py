"""Arranges the spans of a turn for the eye: a tree in the order of time, waiting apart from working."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headrace.telemetry.spans import SpanRow


@dataclass(frozen=True, slots=True)
class Line:
    """One span at its place: `offset_ms` is from the start of the turn to where its message began to wait."""

    depth: int
    span: SpanRow
    offset_ms: float
    queue_ms: float
    work_ms: float

    @property
    def end_ms(self) -> float:
        """When the span was done, from the start of the turn."""
        return self.offset_ms + self.queue_ms + self.work_ms


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All spans of a turn; `total_ms` is from the first thing that happened to the last."""

    started_ns: int
    total_ms: float
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain data for `--json` and the chat page."""
        return {
            "started_ns": self.started_ns,
            "total_ms": round(self.total_ms, 3),
            "spans": [
                {
                    **asdict(line.span),
                    "attributes": dict(line.span.attributes),
                    "depth": line.depth,
                    "offset_ms": round(line.offset_ms, 3),
                    "queue_ms": round(line.queue_ms, 3),
                    "work_ms": round(line.work_ms, 3),
                }
                for line in self.lines
            ],
        }


def arrange(spans: Sequence[SpanRow]) -> Waterfall:
    """Put children under their parents; a span whose parent is not there stands at the top."""
    if not spans:
        return Waterfall(0, 0.0, ())
    known = {span.span_id for span in spans}
    children: dict[str | None, list[SpanRow]] = {}
    for span in sorted(spans, key=lambda span: (span.start_ns, span.span_id)):
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
    started_ns = min(_waits_from_ns(span) for span in spans)
    lines = tuple(_walk(children, None, 0, started_ns))
    return Waterfall(started_ns, max(line.end_ms for line in lines), lines)


def _walk(
    children: Mapping[str | None, Sequence[SpanRow]], parent_id: str | None, depth: int, started_ns: int
) -> Iterator[Line]:
    for span in children.get(parent_id, ()):
        offset_ms = (_waits_from_ns(span) - started_ns) / 1e6
        yield Line(depth, span, offset_ms, span.queue_ms, span.work_ms)
        yield from _walk(children, span.span_id, depth + 1, started_ns)


def _waits_from_ns(span: SpanRow) -> int:
    return span.start_ns - int(span.queue_ms * 1e6)
