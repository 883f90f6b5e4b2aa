"""What one turn looked like from the client's side: its root span and the metrics of its wait."""

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from headrace.telemetry import attributes, metrics
from services.gateway.domain.answers import Answer
from services.gateway.domain.answers import Status as TurnStatus
from services.gateway.domain.requests import Question

tracer = trace.get_tracer("headrace.gateway")


def root_span(question: Question, *, tenant: str, parent: Context | None = None) -> Span:
    """The span of a turn from the client's frame to its last token; everything else hangs below it."""
    return tracer.start_span(
        "ask",
        context=parent,
        kind=SpanKind.SERVER,
        attributes={
            attributes.TURN_ID: question.turn_id,
            attributes.CONVERSATION_ID: question.conversation_id or question.turn_id,
            attributes.TENANT: tenant,
        },
    )


class Watch:
    """Times one turn. A turn that was resumed here but asked elsewhere has no span and is not counted twice."""

    def __init__(self, asked_at: float, span: Span | None) -> None:
        self._asked_at = asked_at
        self._span = span
        # From the first text that can be shown to the last.
        self._delivering: Span | None = None

    def asking(self) -> AbstractContextManager[object]:
        """Within it the root span is the current one, so that the prompt carries it."""
        if self._span is None:
            return nullcontext()
        return trace.use_span(self._span, record_exception=False, set_status_on_exception=False)

    def first_text(self, now: float) -> None:
        """Note that there is something to show; only the first time counts."""
        if self._delivering is not None or self._span is None:
            return
        metrics.TIME_TO_FIRST_TOKEN.observe(now - self._asked_at)
        self._delivering = tracer.start_span("deliver", context=trace.set_span_in_context(self._span))

    def done(self, answer: Answer, now: float) -> None:
        """Note the end."""
        if self._span is None:
            return
        status = answer.status.value.lower()
        metrics.TURNS.labels(status=status, pipeline=answer.versions.get("pipeline", "unknown")).inc()
        metrics.TURN_SECONDS.labels(status=status).observe(now - self._asked_at)
        self._span.set_attribute(attributes.OUTCOME, status)
        if answer.failure is not None:
            self._span.set_attribute(attributes.ERROR_CODE, answer.failure.code)
        if answer.status is TurnStatus.FAILED:
            self._span.set_status(Status(StatusCode.ERROR))
        self._end(self._span)

    def give_up(self, reason: str) -> None:
        """Note that no end was seen."""
        if self._span is None:
            return
        self._span.set_attribute(attributes.OUTCOME, reason)
        self._span.set_status(Status(StatusCode.ERROR))
        self._end(self._span)

    def _end(self, span: Span) -> None:
        if self._delivering is not None:
            self._delivering.end()
        span.end()
        # A turn is kept for clients that come back, and a span takes more memory than its answer.
        self._span = self._delivering = None
