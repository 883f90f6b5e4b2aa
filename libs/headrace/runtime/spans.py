"""The span of one message at one stage: a child of the span that published it, waiting apart from working."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from headrace.messaging.records import Received
from headrace.messaging.tracing import parent_of, tracer
from headrace.telemetry import attributes


def start_span(name: str, record: Received, *, stage: str, delivery: int, queue_ms: float) -> Span:
    """A consumer span whose parent is the publisher's span."""
    return tracer.start_span(
        name,
        context=parent_of(record.headers),
        kind=SpanKind.CONSUMER,
        attributes={
            attributes.STAGE: stage,
            attributes.QUEUE_MS: queue_ms,
            attributes.DELIVERY_ATTEMPT: delivery,
            attributes.MESSAGING_SYSTEM: "kafka",
            attributes.MESSAGING_DESTINATION: record.topic,
            attributes.MESSAGING_PARTITION: str(record.partition),
            attributes.MESSAGING_OFFSET: record.offset,
            attributes.MESSAGING_BODY_SIZE: len(record.value or b""),
        },
    )


@contextmanager
def marking_errors(span: Span) -> Iterator[None]:
    """Note the class of an error on the span; its words may be a user's and stay off it."""
    try:
        yield
    except Exception as exc:
        span.set_attribute(attributes.ERROR_TYPE, type(exc).__name__)
        span.set_status(Status(StatusCode.ERROR))
        raise
