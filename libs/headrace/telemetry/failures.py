"""What may be said about an exception: its type and message, never the values that it met."""

import traceback
from typing import Final

from opentelemetry.trace import Span, Status, StatusCode
from pydantic import ValidationError

from headrace.telemetry import attributes

_LONGEST_MESSAGE: Final = 500
_DEEPEST_CAUSE: Final = 8


def describe(exc: BaseException) -> str:
    """Return one line of type and message, without pydantic's quotes of the input: those are users' words."""
    name = type(exc).__qualname__
    if isinstance(exc, ValidationError):
        found = exc.errors(include_input=False, include_context=False, include_url=False)
        message = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['type']}" for error in found)
    else:
        message = str(exc)
    message = " ".join(message.split())
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}…"
    return f"{name}: {message}" if message else name


def causes(exc: BaseException) -> list[str]:
    """Return what led to the exception, the nearest first, as Python itself would tell it."""
    told: list[str] = []
    current: BaseException | None = exc
    while current is not None and len(told) < _DEEPEST_CAUSE:
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if current is not None:
            told.append(describe(current))
    return told


def frames(exc: BaseException) -> list[str]:
    """Return where it happened, the innermost last, as `file:line in function`: no source text, no local values."""
    return [f"{f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(exc.__traceback__)]


def record_failure(span: Span, exc: BaseException) -> None:
    """Mark a span as failed by this exception; open such a span with `record_exception=False`."""
    span.set_attribute(attributes.ERROR_TYPE, f"{type(exc).__module__}.{type(exc).__qualname__}")
    span.set_status(Status(StatusCode.ERROR, describe(exc)))
