"""Mending a letter before it goes back: other bytes, an edited message, other headers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace.messaging import headers
from headrace.messaging.carried import carried
from headrace.messaging.codec import content_type, decode, encode, encoding_of
from headrace.messaging.errors import Invalid, Undecodable
from headrace.v1.dead_letters_pb2 import DeadLetter

RawHeaders = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be changed. `edited` is the message as proto-JSON; a header without a value is taken away.

    The first two are for one letter: the same bytes cannot be right for two.
    """

    value: bytes | None = None
    edited: bytes | None = None
    headers: Sequence[tuple[str, str | None]] = field(default_factory=tuple)

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return self != Repair()


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes and headers that a letter goes back with. `value` None is a tombstone."""

    value: bytes | None
    headers: RawHeaders

    @property
    def content_type(self) -> str:
        """What the headers say of the bytes."""
        return dict(self.headers).get(headers.CONTENT_TYPE, b"").decode("utf-8", "replace")

    def message(self, topic: str) -> Message:
        """The message, as the topic's readers would take it; `Undecodable` where they would not."""
        kind = carried(topic)
        if kind is None or self.value is None:
            raise Undecodable(f"nothing is known of what {topic} carries" if kind is None else "it is a tombstone")
        return decode(self.value, kind, self.content_type)


def body_of(letter: DeadLetter, repair: Repair | None = None) -> Body:
    """What the letter held, mended; `Invalid` where the mended bytes are still no message of their topic.

    What told of its earlier tries is gone: it begins anew.
    """
    repair = repair or Repair()
    kept = tuple((head.key, head.value) for head in letter.headers if head.key not in headers.OF_EARLIER_TRIES)
    for name, value in repair.headers:
        kept = with_header(kept, name, value)
    body = Body(None if letter.tombstone else letter.value, kept)
    if repair.edited is not None:
        return _edited(letter.origin.topic, repair.edited, body)
    if repair.value is not None:
        body = Body(repair.value, kept)
        try:
            body.message(letter.origin.topic)
        except Undecodable as exc:
            raise Invalid(f"the repaired bytes do not fit {letter.origin.topic}: {exc}", field=exc.field) from exc
    return body


def with_header(held: RawHeaders, name: str, value: str | None) -> RawHeaders:
    """The headers with this one in place of any of its name, or without it."""
    rest = tuple((key, content) for key, content in held if key != name)
    return rest if value is None else (*rest, (name, value.encode()))


def _edited(topic: str, edited: bytes, body: Body) -> Body:
    kind = carried(topic)
    if kind is None:
        raise Invalid(f"nothing is known of what {topic} carries: give the bytes by --value", field="value")
    message = kind()
    try:
        json_format.Parse(edited, message)
    except (json_format.ParseError, UnicodeDecodeError) as exc:
        raise Invalid(f"the edited JSON is no {kind.DESCRIPTOR.full_name}: {exc}", field="value") from exc
    # In the encoding that the sender chose: the answer comes in it too.
    encoding = encoding_of(body.value or b"", body.content_type)
    kept = with_header(body.headers, headers.CONTENT_TYPE, content_type(kind, encoding))
    return Body(encode(message, encoding), kept)
