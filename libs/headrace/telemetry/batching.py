"""Hands finished spans to an exporter from a thread of its own, without ever delaying the work that they tell of.

The SDK's batch processor wakes on a timer and may hold a process for half a minute at its end. This one sleeps until
there is a span, gathers for a moment, and gives up at a stated time: an idle service does nothing, and a dead collector
costs spans, which are counted, but no answer.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from headrace.telemetry import metrics
from headrace.telemetry.failures import describe
from headrace.telemetry.guard import vetted

_log = structlog.get_logger()

ExporterName = Literal["otlp", "sqlite"]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much waits for an exporter, and for how long."""

    queue: int = 8192
    batch: int = 512
    # How long the first span of a batch waits for company: the delay until a trace can be read.
    linger_seconds: float = 0.1


class OnDemandBatches(SpanProcessor):
    """A bounded queue and one thread per exporter; what does not fit is dropped and counted."""

    def __init__(
        self,
        exporter: SpanExporter,
        name: ExporterName,
        *,
        target: str,
        limits: BatchLimits = BatchLimits(),
    ) -> None:
        self._exporter = exporter
        self._name: Final = name
        self._target: Final = target
        self._limits: Final = limits
        self._queue: deque[ReadableSpan] = deque()
        self._changed = threading.Condition()
        self._exporting = False
        self._stopping = False
        self._flushing = 0
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name=f"spans-{name}", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Take a finished span; never blocks, never raises."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        with self._changed:
            if self._stopping or len(self._queue) >= self._limits.queue:
                metrics.SPANS_DROPPED.labels(self._name).inc()
                return
            self._queue.append(span)
            if len(self._queue) in {1, self._limits.batch}:
                self._changed.notify_all()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until all that was taken has been exported or given up; false where that took longer than allowed."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._queue and not self._exporting, timeout_millis / 1000)
            finally:
                self._flushing -= 1

    def stop(self) -> None:
        """Take no more spans and export what is left at once; returns immediately."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        """Wait for the rest until `deadline` (monotonic seconds), then leave it behind, counted."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            left = len(self._queue)
            self._queue.clear()
        if left:
            metrics.SPANS_DROPPED.labels(self._name).inc(left)

    def shutdown(self) -> None:
        """Stop and join within two seconds."""
        self.stop()
        self.join(time.monotonic() + 2.0)

    def _run(self) -> None:
        while batch := self._next_batch():
            self._export(batch)
        self._exporter.shutdown()

    def _next_batch(self) -> list[ReadableSpan]:
        """Wait for spans; an empty batch means that there will be no more."""
        with self._changed:
            self._exporting = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._queue or self._stopping)
            self._changed.wait_for(
                lambda: len(self._queue) >= self._limits.batch or self._stopping or self._flushing,
                self._limits.linger_seconds,
            )
            batch = [self._queue.popleft() for _ in range(min(self._limits.batch, len(self._queue)))]
            self._exporting = bool(batch)
            return batch

    def _export(self, batch: list[ReadableSpan]) -> None:
        try:
            taken = self._exporter.export([vetted(span) for span in batch]) is SpanExportResult.SUCCESS
            reason = "not taken"
        except Exception as exc:  # noqa: BLE001 - whatever an exporter meets, the service must go on; it is counted
            taken, reason = False, describe(exc)
        if taken:
            if self._lost:
                _log.info("spans are exported again", exporter=self._name, target=self._target, lost=self._lost)
            self._lost = 0
            return
        metrics.SPANS_DROPPED.labels(self._name).inc(len(batch))
        if not self._lost:
            # Once per outage: a collector that is gone for a day would fill a disk otherwise.
            _log.warning("spans are dropped", exporter=self._name, target=self._target, reason=reason)
        self._lost += len(batch)
