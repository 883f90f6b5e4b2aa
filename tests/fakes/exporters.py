"""Places that spans go to, for tests: one that remembers, one that refuses, one that holds on."""

import threading
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class RememberingExporter(SpanExporter):
    """Keeps the names of spans by batch; `takes=False` refuses them."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.batches: list[list[str]] = []
        self.spans: list[ReadableSpan] = []
        self.closed = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append([span.name for span in spans])
        if not self.takes:
            return SpanExportResult.FAILURE
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.closed.set()

    @property
    def names(self) -> list[str]:
        return [name for batch in self.batches for name in batch]


class HangingExporter(RememberingExporter):
    """Does not come back before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.let_go.wait(timeout=30)
        return super().export(spans)
