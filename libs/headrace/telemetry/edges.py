"""The shape that the trace of a turn must have: which span hangs on which, and what is wrong with a trace that differs.

Names may be patterns (`chat *`). A span that no edge names is taken as a detail of its own service and must have its
parent there: work crosses from one service to another only along an edge.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from headrace.telemetry.spans import SpanRow

ASK: Final = "ask"
CHAT_STAGES: Final = ("prompts", "grounding", "safety", "inference", "output", "postprocessing")
REVIEW_STAGES: Final = ("reviews", "safety", "inference", "postprocessing")
# Clocks of one machine agree, yet a span's time is read before it is entered.
_SKEW_NS: Final = 2_000_000

_SERVICE_OF_STAGE: Final[Mapping[str, str]] = {
    "prompts": "preprocessing",
    "reviews": "preprocessing",
    "grounding": "grounding",
    "safety": "safety",
    "inference": "inference",
    "output": "safety",
    "postprocessing": "postprocessing",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """A span and the spans that it may hang on; no parents: it is the root."""

    service: str
    name: str
    parents: tuple[str, ...] = ()
    optional: bool = False


def chat_edges(stages: Sequence[str] = CHAT_STAGES, *, entry: str = ASK, streamed: bool = True) -> tuple[Edge, ...]:
    """Return the edges of a turn that took these stages; a refused one skips from the stage that ended it to the last.

    `entry` is `ask` for a turn from the gateway and empty for one that a producer put on the topic without a trace.
    """
    edges = [Edge("gateway", entry)] if entry else []
    before: tuple[str, ...] = (entry,) if entry else ()
    for stage in stages:
        edges.append(Edge(_SERVICE_OF_STAGE[stage], f"process {stage}", before))
        before = (f"process {stage}",)
    if "inference" in stages:
        edges.append(Edge("inference", "chat *", ("process inference",), optional=True))
    if streamed and "inference" in stages:
        edges.append(Edge("safety", "stream gate", ("process inference", "chat *")))
        edges.append(Edge("postprocessing", "stream deltas", ("stream gate",)))
    edges.append(Edge("gateway", "deliver", (ASK, "stream deltas", *before), optional=True))
    edges.append(Edge("feedback", "process *", before, optional=True))
    return tuple(edges)


def review_edges(stages: Sequence[str] = REVIEW_STAGES) -> tuple[Edge, ...]:
    """Return the edges of a classification: no gateway, no stream."""
    return chat_edges(stages, entry="", streamed=False)


def violations(spans: Sequence[SpanRow], edges: Sequence[Edge]) -> list[str]:
    """Say, a sentence each, where a trace differs from its table; an empty list means that it holds."""
    if not spans:
        return ["there are no spans"]
    return [*_more_than_one(spans), *_of_edges(spans, edges), *_missing(spans, edges)]


def _more_than_one(spans: Sequence[SpanRow]) -> Iterator[str]:
    traces = {span.trace_id for span in spans}
    if len(traces) > 1:
        yield f"the spans are of {len(traces)} traces: {', '.join(sorted(traces))}"
    roots = [span for span in spans if span.parent_id is None]
    if len(roots) != 1:
        named = ", ".join(map(_told, roots)) or "every span has a parent"
        yield f"there are {len(roots)} roots instead of one: {named}"
    for span_id, count in Counter(span.span_id for span in spans).items():
        if count > 1:
            yield f"the span id {span_id} is there {count} times"


def _of_edges(spans: Sequence[SpanRow], edges: Sequence[Edge]) -> Iterator[str]:
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        parent = by_id.get(span.parent_id or "")
        if span.parent_id is not None and parent is None:
            yield f"{_told(span)} is an orphan: its parent {span.parent_id} is not in the trace"
            continue
        wrong = _wrong_parent(span, parent, _edge_of(span, edges))
        if wrong:
            yield f"{_told(span)} {wrong}"
        if parent is not None and span.start_ns + _SKEW_NS < parent.start_ns:
            yield f"{_told(span)} starts before {_told(parent)}, on which it hangs"


def _wrong_parent(span: SpanRow, parent: SpanRow | None, edge: Edge | None) -> str:
    """Say what is wrong with the parent; an empty string where it is right."""
    hangs = f"hangs on {_told(parent)}" if parent else "is a root"
    if edge is None:
        at_home = parent is not None and parent.service == span.service
        return "" if at_home else f"{hangs}, which the table does not know"
    if not edge.parents:
        return "" if parent is None else f"{hangs}, but is the root by the table"
    if parent is not None and any(fnmatchcase(parent.name, pattern) for pattern in edge.parents):
        return ""
    return f"{hangs} instead of {' or '.join(edge.parents)}"


def _missing(spans: Sequence[SpanRow], edges: Sequence[Edge]) -> Iterator[str]:
    for edge in edges:
        if not edge.optional and not any(_edge_of(span, (edge,)) for span in spans):
            yield f"{edge.service}: {edge.name} is missing"


def _edge_of(span: SpanRow, edges: Sequence[Edge]) -> Edge | None:
    return next((edge for edge in edges if edge.service == span.service and fnmatchcase(span.name, edge.name)), None)


def _told(span: SpanRow) -> str:
    return f"{span.service}: {span.name}"
