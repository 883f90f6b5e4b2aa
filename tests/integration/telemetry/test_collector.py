"""A collector that works gets every span; one that does not costs spans and nothing else."""

import logging
import socket
import threading
import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from headrace.telemetry import attributes, metrics
from headrace.telemetry.setup import TelemetrySettings, Tracing
from headrace.telemetry.store import read_trace, store_path
from tests.fakes.collector import Collector

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path))


def dropped() -> float:
    return float(metrics.SPANS_DROPPED.labels("otlp")._value.get())


def ask(provider: TracerProvider, count: int = 1) -> float:
    """Leave `count` spans and return the seconds that the longest took its caller."""
    tracer = provider.get_tracer("test")
    longest = 0.0
    for _ in range(count):
        began = time.monotonic()
        with tracer.start_as_current_span("ask", kind=SpanKind.SERVER, attributes={attributes.TURN_ID: "t"}):
            pass
        longest = max(longest, time.monotonic() - began)
    return longest


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_a_collector_gets_the_spans_with_the_service_that_left_them(path: str) -> None:
    with Collector() as collector:
        tracing = Tracing("gateway", TelemetrySettings(otlp_endpoint=collector.endpoint + path))
        ask(tracing.provider, 3)
        tracing.shutdown()
    assert set(collector.paths) == {"/v1/traces"}
    assert [(service, span.name) for service, span in collector.spans()] == [("gateway", "ask")] * 3
    assert not store_path().exists()


def test_both_may_be_on() -> None:
    with Collector() as collector:
        settings = TelemetrySettings(otlp_endpoint=collector.endpoint, span_store="on")
        tracing = Tracing("gateway", settings)
        ask(tracing.provider)
        tracing.shutdown()
    assert len(collector.spans()) == len(read_trace(None, "t")) == 1


def test_none_may_be_on() -> None:
    tracing = Tracing("gateway", TelemetrySettings(span_store="off"))
    ask(tracing.provider)
    tracing.shutdown()
    assert not store_path().exists()


@pytest.mark.parametrize("manner", ["refuses", "hangs", "is away"])
def test_a_dead_collector_changes_nothing_for_anybody(manner: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with Collector("hangs" if manner == "hangs" else "refuses") as collector:
        endpoint = collector.endpoint
        if manner == "is away":
            with socket.create_server(("127.0.0.1", 0)) as taken:
                endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = TelemetrySettings(otlp_endpoint=endpoint, span_store="on")
        tracing = Tracing("gateway", settings)
        before = dropped()
        assert ask(tracing.provider, 12_000) < 5
        if manner != "is away":
            assert collector.asked.wait(10)
        began = time.monotonic()
        tracing.shutdown()
        assert time.monotonic() - began < 10
        # Exactly which are lost is chance; that they are counted is not.
        assert dropped() - before > 8_000
        assert len(read_trace(None, "t")) > 0
        collector.let_go.set()
        for thread in threading.enumerate():
            if thread.name.startswith("spans-"):
                thread.join(10)
    assert len(caplog.records) == 0
