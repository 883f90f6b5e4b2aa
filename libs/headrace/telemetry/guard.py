"""The last look at a span before it leaves the process: no words of users, unless they are asked for."""

from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status
from opentelemetry.util.types import AttributeValue

from headrace.telemetry.content import carries_content, content_allowed

_EXCEPTION_EVENT: Final = "exception"
_EXCEPTION_TYPE: Final = "exception.type"
# Our own errors are written without users' words; anybody else's may quote the input that they met.
_OWN_ERRORS: Final = "headrace."


def vetted(span: ReadableSpan) -> ReadableSpan:
    """Return the span, or a copy without the attributes and exception texts that may hold somebody's words."""
    if content_allowed():
        return span
    foreign = any(_is_foreign_exception(event) for event in span.events)
    if not foreign and _is_clean(span.attributes) and all(_is_clean(event.attributes) for event in span.events):
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_without_content(span.attributes),
        events=_vetted_events(span.events),
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code) if foreign else span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _is_foreign_exception(event: Event) -> bool:
    if event.name != _EXCEPTION_EVENT:
        return False
    return not str((event.attributes or {}).get(_EXCEPTION_TYPE, "")).startswith(_OWN_ERRORS)


def _is_clean(attributes: Mapping[str, AttributeValue] | None) -> bool:
    return not any(carries_content(key) for key in attributes or {})


def _without_content(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    return {key: value for key, value in (attributes or {}).items() if not carries_content(key)}


def _vetted_events(events: Sequence[Event]) -> list[Event]:
    """Keep of a foreign exception only its type; the SDK records its message and a traceback that repeats it."""
    kept: list[Event] = []
    for event in events:
        attributes = _without_content(event.attributes)
        if _is_foreign_exception(event):
            attributes = {key: value for key, value in attributes.items() if key == _EXCEPTION_TYPE}
        kept.append(Event(event.name, attributes, event.timestamp))
    return kept
