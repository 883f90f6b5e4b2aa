from contextlib import suppress

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

from headrace.messaging.errors import Retryable
from headrace.telemetry import attributes
from headrace.telemetry.failures import record_failure
from headrace.telemetry.guard import vetted
from tests.fakes.exporters import RememberingExporter

WORDS = "my password is hunter2"


def finished(*, raising: Exception | None = None, **facts: str) -> ReadableSpan:
    exporter = RememberingExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    expected = [type(raising)] if raising else []
    with suppress(*expected), provider.get_tracer("test").start_as_current_span("chat model") as span:
        for key, value in facts.items():
            span.set_attribute(key.replace("__", "."), value)
        if raising:
            raise raising
    return exporter.spans[0]


def test_a_clean_span_goes_out_as_it_is() -> None:
    span = finished(headrace__turn_id="t")
    assert vetted(span) is span


def test_words_of_users_are_taken_off_and_facts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_TRACE_CONTENT", raising=False)
    span = vetted(finished(gen_ai__input__messages=WORDS, text=WORDS, gen_ai__prompt__name="chat"))
    assert dict(span.attributes or {}) == {"gen_ai.prompt.name": "chat"}
    assert WORDS not in span.to_json()


def test_words_of_users_stay_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TRACE_CONTENT", "1")
    assert (vetted(finished(text=WORDS)).attributes or {})["text"] == WORDS


def test_an_exception_of_others_keeps_its_type_but_not_what_it_quotes() -> None:
    span = vetted(finished(raising=ValueError(f"could not convert string to float: {WORDS!r}")))
    assert WORDS not in span.to_json()
    assert (span.events[0].attributes or {})["exception.type"] == "ValueError"
    assert span.status.status_code is StatusCode.ERROR


def test_an_exception_of_ours_keeps_its_message() -> None:
    span = vetted(finished(raising=Retryable("qdrant timed out")))
    assert (span.events[0].attributes or {})["exception.message"] == "qdrant timed out"


def test_a_failure_is_recorded_with_type_and_message() -> None:
    exporter = RememberingExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("retrieve") as span:
        record_failure(span, Retryable("qdrant timed out"))
    assert exporter.spans[0].status.description == "Retryable: qdrant timed out"
    assert (exporter.spans[0].attributes or {})[attributes.ERROR_TYPE] == "headrace.messaging.errors.Retryable"
