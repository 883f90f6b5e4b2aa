import time
from collections.abc import Iterator
from threading import enumerate as threads

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from headrace.telemetry import metrics
from headrace.telemetry.batching import BatchLimits, OnDemandBatches
from tests.fakes.exporters import HangingExporter, RememberingExporter

AT_ONCE = BatchLimits(linger_seconds=0.001)


class Spans:
    """Makes spans and hands them to a processor."""

    def __init__(self, processor: OnDemandBatches) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer("test")

    def finish(self, *names: str) -> None:
        for name in names:
            self._tracer.start_span(name).end()


@pytest.fixture
def hanging() -> Iterator[HangingExporter]:
    exporter = HangingExporter()
    yield exporter
    exporter.let_go.set()
    assert exporter.closed.wait(5), "waited 5 s for: the thread of the exporter to end"


def dropped() -> float:
    return float(metrics.SPANS_DROPPED.labels("otlp")._value.get())


def test_spans_that_end_together_leave_together() -> None:
    exporter = RememberingExporter()
    processor = OnDemandBatches(exporter, "otlp", target="collector", limits=BatchLimits(linger_seconds=30))
    Spans(processor).finish("a", "b", "c")
    assert processor.force_flush(5000)
    assert exporter.batches == [["a", "b", "c"]]
    processor.shutdown()


def test_a_full_batch_does_not_wait_for_more() -> None:
    exporter = RememberingExporter()
    limits = BatchLimits(batch=2, linger_seconds=30)
    processor = OnDemandBatches(exporter, "otlp", target="collector", limits=limits)
    Spans(processor).finish("a", "b", "c", "d")
    processor.shutdown()
    assert exporter.batches == [["a", "b"], ["c", "d"]]


def test_what_is_left_is_exported_at_the_end() -> None:
    exporter = RememberingExporter()
    processor = OnDemandBatches(exporter, "otlp", target="collector", limits=BatchLimits(linger_seconds=30))
    spans = Spans(processor)
    spans.finish("a")
    spans.provider.shutdown()
    assert exporter.names == ["a"]
    assert exporter.closed.is_set()


def test_an_exporter_that_hangs_costs_spans_and_no_time(hanging: HangingExporter) -> None:
    processor = OnDemandBatches(hanging, "otlp", target="collector", limits=BatchLimits(3, 1, 0.001))
    spans = Spans(processor)
    before = dropped()
    spans.finish("taken")
    assert hanging.entered.wait(5)
    began = time.monotonic()
    spans.finish(*"abcdefgh")
    assert time.monotonic() - began < 10
    assert dropped() - before == 5
    began = time.monotonic()
    processor.stop()
    processor.join(began + 0.2)
    assert time.monotonic() - began < 10
    assert dropped() - before == 8
    assert not processor.force_flush(10)


def test_an_outage_is_told_once_and_its_end_once_with_what_it_cost() -> None:
    exporter = RememberingExporter(takes=False)
    with structlog.testing.capture_logs() as told:
        processor = OnDemandBatches(exporter, "otlp", target="http://collector", limits=AT_ONCE)
        spans = Spans(processor)
        before = dropped()
        for name in "abc":
            spans.finish(name)
            assert processor.force_flush(5000)
        exporter.takes = True
        spans.finish("d")
        assert processor.force_flush(5000)
        processor.shutdown()
    assert dropped() - before == 3
    assert [(line["event"], line.get("lost")) for line in told] == [
        ("spans are dropped", None),
        ("spans are exported again", 3),
    ]


def test_a_span_after_the_end_is_counted_and_ignored() -> None:
    exporter = RememberingExporter()
    processor = OnDemandBatches(exporter, "otlp", target="collector")
    spans = Spans(processor)
    processor.shutdown()
    before = dropped()
    spans.finish("late")
    assert dropped() - before == 1
    assert exporter.names == []


def test_a_span_that_is_not_sampled_is_not_exported() -> None:
    exporter = RememberingExporter()
    processor = OnDemandBatches(exporter, "otlp", target="collector")
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("test").start_span("unsampled").end()
    processor.shutdown()
    assert exporter.names == []


def test_the_thread_is_gone_after_the_end() -> None:
    processor = OnDemandBatches(RememberingExporter(), "otlp", target="collector")
    processor.shutdown()
    assert processor._thread not in threads()
