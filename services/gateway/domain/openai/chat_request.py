"""The body of a chat completion, read into a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.messaging.errors import Invalid
from services.gateway.domain.fields import INT32, INT64, Fields
from services.gateway.domain.requests import (
    MAX_METADATA_CHARS,
    MAX_METADATA_ENTRIES,
    MAX_NAME_CHARS,
    MAX_STOP_CHARS,
    MAX_STOPS,
    Message,
    Question,
    ResponseFormat,
    Sampling,
)

MAX_MESSAGES = 1024
MAX_ALTERNATIVES = 20
# What clients send unasked, with the value that asks for nothing.
NEUTRAL: Mapping[str, Any] = {
    "n": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logit_bias": {},
    "parallel_tool_calls": True,
    "service_tier": "auto",
    "store": False,
    "tools": [],
}
KNOWN = (
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "user",
    "response_format",
    "logprobs",
    "top_logprobs",
    "metadata",
    # Ours.
    "pipeline",
    "template",
    *NEUTRAL,
)
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `/v1/chat/completions`."""

    question: Question
    stream: bool
    include_usage: bool


def read_request(body: dict[str, Any], turn_id: str) -> Request:
    """Read a body; a parameter that would not be honoured is refused by its name."""
    fields = Fields(body)
    fields.only(KNOWN)
    for name, value in NEUTRAL.items():
        if fields.has(name) and body[name] != value:
            raise fields.invalid(name, f"{name} is not supported: leave it out", code="unsupported_parameter")
    options = fields.nested("stream_options")
    options.only(("include_usage",))
    messages = tuple(
        _message(entry, f"messages[{number}]")
        for number, entry in enumerate(fields.items("messages", max_items=MAX_MESSAGES))
    )
    if not messages:
        raise fields.invalid("messages", "messages is empty: send at least one message with role and content")
    question = Question(
        turn_id=turn_id,
        messages=messages,
        pipeline=fields.text("pipeline", max_chars=MAX_NAME_CHARS),
        template=fields.text("template", max_chars=MAX_NAME_CHARS),
        metadata=fields.texts("metadata", max_items=MAX_METADATA_ENTRIES, max_chars=MAX_METADATA_CHARS),
        model=fields.text("model", max_chars=MAX_NAME_CHARS, required=True),
        user=fields.text("user", max_chars=MAX_NAME_CHARS),
        sampling=Sampling(
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            max_tokens=fields.integer("max_completion_tokens", 1, INT32) or fields.integer("max_tokens", 1, INT32),
            seed=fields.integer("seed", -INT64, INT64),
            stop=_stops(fields, body),
            logprobs=_logprobs(fields),
        ),
        response_format=_format(fields),
    )
    return Request(question, fields.flag("stream"), options.flag("include_usage"))


def _format(fields: Fields) -> ResponseFormat:
    return ResponseFormat.read(fields.nested("response_format")) if fields.has("response_format") else ResponseFormat()


def _logprobs(fields: Fields) -> int | None:
    alternatives = fields.integer("top_logprobs", 0, MAX_ALTERNATIVES)
    if fields.flag("logprobs"):
        return alternatives or 0
    if alternatives is not None:
        raise fields.invalid("top_logprobs", "top_logprobs needs logprobs: send logprobs: true beside it")
    return None


def _stops(fields: Fields, body: dict[str, Any]) -> tuple[str, ...]:
    if isinstance(body.get("stop"), str):
        return (fields.text("stop", max_chars=MAX_STOP_CHARS),)
    return fields.strings("stop", max_items=MAX_STOPS, max_chars=MAX_STOP_CHARS)


def _message(entry: object, name: str) -> Message:
    if not isinstance(entry, dict):
        raise Invalid(f"{name} must be an object with role and content", code="invalid_field", field=name)
    fields = Fields(entry, inside=name)
    fields.only(("role", "content", "name"))
    role = fields.text("role", max_chars=MAX_NAME_CHARS, required=True)
    if role not in _ROLES:
        raise fields.invalid("role", f"{name}.role must be one of {', '.join(_ROLES)}")
    return Message(_ROLES[role], _content(entry, fields))


def _content(entry: dict[str, Any], fields: Fields) -> str:
    if not isinstance(entry.get("content"), list):
        return fields.text("content", max_chars=INT32, required=True)
    parts = []
    for number, part in enumerate(fields.items("content", max_items=MAX_MESSAGES)):
        inner = Fields(part if isinstance(part, dict) else {}, inside=fields.name(f"content[{number}]"))
        if inner.text("type", max_chars=MAX_NAME_CHARS) != "text":
            raise inner.invalid("type", f'{inner.name("type")} must be "text": nothing else can be read')
        inner.only(("type", "text"))
        parts.append(inner.text("text", max_chars=INT32, required=True))
    return "".join(parts)
