"""Messages to bytes and back: Protobuf inside, Protobuf or proto-JSON at the public edges."""

from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from headrace.messaging.contract import JSON, PROTOBUF, Encoding
from headrace.messaging.errors import Undecodable

M = TypeVar("M", bound=Message)


def content_type(message_type: type[Message], encoding: Encoding) -> str:
    """The value of the `content-type` header: `application/x-protobuf; type=headrace.v1.Turn`."""
    return f"{encoding}; type={message_type.DESCRIPTOR.full_name}"


def encode(message: Message, encoding: Encoding = PROTOBUF) -> bytes:
    """Deterministic bytes, so that the same message has the same fingerprint."""
    if encoding == JSON:
        text = json_format.MessageToJson(
            message, indent=None, ensure_ascii=False, always_print_fields_with_no_presence=True
        )
        return text.encode()
    return message.SerializeToString(deterministic=True)


def encoding_of(value: bytes, header: str) -> Encoding:
    """What the header says, else the first byte: no Protobuf message of ours begins with a brace, bracket or quote."""
    kind = header.partition(";")[0].strip().lower()
    if kind in {"application/json", "text/json"} or kind.endswith("+json"):
        return JSON
    if kind in {"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"}:
        return PROTOBUF
    return JSON if value.lstrip()[:1] in {b"{", b"[", b'"'} else PROTOBUF


def decode(value: bytes, message_type: type[M], header: str = "") -> M:
    """The message in these bytes, or `Undecodable` that says what does not fit and where."""
    expected = message_type.DESCRIPTOR.full_name
    declared = _declared_type(header)
    if declared and declared != expected:
        raise Undecodable(f"content-type names {declared}, this topic carries {expected}", field="content-type")
    if encoding_of(value, header) == JSON:
        return _decode_json(value, message_type)
    try:
        message = message_type.FromString(value)
    except DecodeError as exc:
        raise Undecodable(f"{len(value)} bytes are no {expected} in Protobuf: truncated or of another type") from exc
    return message


def _decode_json(value: bytes, message_type: type[M]) -> M:
    expected = message_type.DESCRIPTOR.full_name
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Undecodable(f"the JSON is not UTF-8: byte {exc.start} cannot be read") from exc
    if text.lstrip()[:1] != "{":
        raise Undecodable(
            f"expected one JSON object ({expected}), got something else, such as an array or a bare value"
        )
    try:
        return json_format.Parse(text, message_type(), max_recursion_depth=32)
    except json_format.ParseError as exc:
        raise Undecodable(f"the JSON is no {expected}: {exc}") from exc
    except RecursionError as exc:
        raise Undecodable(f"the JSON is nested too deeply for {expected}") from exc


def _declared_type(header: str) -> str:
    for parameter in header.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() in {"type", "messagetype", "proto"}:
            return value.strip().strip('"')
    return ""
