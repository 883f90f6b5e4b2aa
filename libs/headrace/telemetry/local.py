"""Where spans go without a collector: into the local store."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from headrace.telemetry import attributes
from headrace.telemetry.spans import SpanLink, SpanRow, SpanStatus
from headrace.telemetry.store import SpanStore

_STATUS: Final[dict[StatusCode, SpanStatus]] = {
    StatusCode.UNSET: "unset",
    StatusCode.OK: "ok",
    StatusCode.ERROR: "error",
}


class StoreExporter(SpanExporter):
    """Writes spans into the local store."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one batch as one transaction."""
        try:
            self._store.write([to_row(span) for span in spans])
        except sqlite3.Error:
            # A connection that failed once (disk full, file removed) may never work again: open it anew.
            self._store.close()
            raise
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._store.close()


def to_row(span: ReadableSpan) -> SpanRow:
    """Translate the SDK's span. A span that names its service itself is believed: one process may run several."""
    context = span.get_span_context()
    if context is None:
        raise ValueError("a finished span has a context")
    own = dict(span.attributes or {})
    return SpanRow(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=None if span.parent is None else f"{span.parent.span_id:016x}",
        name=span.name,
        service=str(own.get(attributes.SERVICE_NAME) or span.resource.attributes.get(attributes.SERVICE_NAME, "")),
        kind=span.kind.name.lower(),
        start_ns=span.start_time or 0,
        end_ns=span.end_time or span.start_time or 0,
        status=_STATUS[span.status.status_code],
        message=span.status.description or "",
        attributes=own,
        links=tuple(SpanLink(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links),
    )
