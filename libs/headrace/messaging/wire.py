"""A message as the broker gets it: bytes and headers."""

import uuid
from dataclasses import dataclass

from headrace.messaging import headers as names
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import Outgoing
from headrace.messaging.tracing import inject


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is left of a message once nothing can change it any more."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: tuple[tuple[str, bytes], ...]


def encoded(outgoing: Outgoing) -> Encoded:
    """The message with its headers, in the trace that is current."""
    key = outgoing.key.encode() or None if outgoing.raw_key is None else outgoing.raw_key
    value = encode(outgoing.message, outgoing.encoding) if outgoing.message is not None else outgoing.raw
    if key is None and value is None:
        # Clients in Python refuse to send a record of nothing at all, which others may have written.
        value = b""
    own = _headers(outgoing)
    passed = [held for held in outgoing.raw_headers if held[0] not in own]
    passed += [(name, text.encode()) for name, text in own.items()]
    return Encoded(outgoing.topic, key, value, outgoing.partition, tuple(passed))


def _headers(outgoing: Outgoing) -> dict[str, str]:
    """Its own, its identity, the current trace: what is not said already."""
    headers = dict(outgoing.headers)
    said = {name for name, _ in outgoing.raw_headers} | headers.keys()
    if names.MESSAGE_ID not in said:
        headers[names.MESSAGE_ID] = str(uuid.uuid4())
    if outgoing.message is not None:
        headers.setdefault(names.CONTENT_TYPE, content_type(type(outgoing.message), outgoing.encoding))
    if outgoing.tenant:
        headers.setdefault(names.TENANT, outgoing.tenant)
    if names.TRACEPARENT not in said:
        inject(headers)
    return headers
