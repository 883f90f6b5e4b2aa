"""One line of JSON per log event on stderr, with the trace that it belongs to; a person's terminal gets readable lines.

What other libraries log goes the same way. The words of users do not: keys that would hold them are dropped, and values
of types that this module does not know appear by the name of their type only.
"""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final, TextIO

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from headrace.telemetry.content import carries_content, content_allowed
from headrace.telemetry.failures import causes, describe, frames
from headrace.telemetry.standard import adopt_standard_logging

# Dataclasses are ours: turns, passages, verdicts. They are named, not spelled out.
_JSON_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


def configure_logging(service: str, *, stream: TextIO | None = None) -> None:
    """Log as this service from here on; `HEADRACE_LOG_LEVEL` says how much (default: info). May be called again."""
    out = stream or sys.stderr
    level = _level()
    structlog.configure(
        processors=_processors(service, pretty=out.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        # A cached logger would keep writing to the stream of an earlier configuration.
        cache_logger_on_first_use=False,
    )
    adopt_standard_logging(level)


def _level() -> int:
    name = os.environ.get("HEADRACE_LOG_LEVEL", "info").strip().upper() or "INFO"
    level = logging.getLevelNamesMapping().get(name)
    if level is None:
        known = "debug, info, warning, error, critical"
        raise ValueError(f"HEADRACE_LOG_LEVEL={name.lower()} is no level: use one of {known}")
    return level


def _processors(service: str, *, pretty: bool) -> list[Processor]:
    def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        with_trace_ids,
        with_exception,
        without_content,
    ]
    if pretty:
        return [*shared, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [*shared, to_json]


def with_trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the current span's ids, so that a line can be found from its trace and the trace from a line."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def with_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Tell an exception by type, message, cause and place, without the values of local variables."""
    exc_info = event.pop("exc_info", None)
    if not exc_info:
        return event
    exc = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
    if isinstance(exc_info, tuple):
        exc = exc_info[1]
    if exc is not None:
        event["exception"] = describe(exc)
        event["frames"] = frames(exc)
        if told := causes(exc):
            event["caused_by"] = told
    return event


def without_content(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop what is known to hold users' words, unless `HEADRACE_TRACE_CONTENT` asks for them."""
    if content_allowed():
        return event
    return _scrubbed(event)


def _scrubbed(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _scrubbed_value(value) for key, value in mapping.items() if not carries_content(str(key))}


def _scrubbed_value(value: object) -> object:
    match value:
        case Mapping():
            return _scrubbed(value)
        case list() | tuple():
            return [_scrubbed_value(item) for item in value]
        case _:
            return value


def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render one line; nothing that is logged can make logging fail."""
    try:
        return orjson.dumps(event, default=_plain, option=_JSON_OPTIONS).decode()
    except orjson.JSONEncodeError:
        # Lone surrogates and integers beyond 64 bits are no JSON.
        return orjson.dumps({str(key): _as_text(value) for key, value in event.items()}).decode()


def _plain(value: object) -> object:
    match value:
        case BaseException():
            return describe(value)
        case set() | frozenset():
            return sorted(map(str, value))
        case PurePath():
            return str(value)
        case _:
            return f"<{type(value).__qualname__}>"


def _as_text(value: object) -> object:
    match value:
        case str() | int() | float():
            return str(value).encode("ascii", "backslashreplace").decode()
        case Mapping():
            return {str(key): _as_text(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_text(item) for item in value]
        case _:
            return str(_plain(value))
