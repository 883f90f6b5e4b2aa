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
    return Encoded(
        outgoing.topic,
        outgoing.key.encode() or None,
        value_of(outgoing),
        outgoing.partition,
        tuple((name, text.encode()) for name, text in headers_of(outgoing).items()),
    )


def value_of(outgoing: Outgoing) -> bytes | None:
    """The bytes of the message, or those that are passed on as they came."""
    return encode(outgoing.message, outgoing.encoding) if outgoing.message is not None else outgoing.raw


def headers_of(outgoing: Outgoing) -> dict[str, str]:
    """The headers of a message on its way out: its own, its identity, the current trace."""
    headers = dict(outgoing.headers)
    headers.setdefault(names.MESSAGE_ID, str(uuid.uuid4()))
    if outgoing.message is not None:
        headers.setdefault(names.CONTENT_TYPE, content_type(type(outgoing.message), outgoing.encoding))
    if outgoing.tenant:
        headers.setdefault(names.TENANT, outgoing.tenant)
    if names.TRACEPARENT not in headers:
        inject(headers)
    return headers
