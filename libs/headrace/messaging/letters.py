"""A dead letter as it stands in its topic: its name, and what can be told of it without its content."""

import base64
from dataclasses import dataclass
from hashlib import blake2b

from google.protobuf.message import DecodeError

from headrace.messaging import headers, topics
from headrace.messaging.carried import carried
from headrace.messaging.codec import decode
from headrace.messaging.errors import Undecodable
from headrace.messaging.records import Received
from headrace.messaging.times import epoch_ms, timestamp
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterError, Origin, RecordHeader

# Ten of 32 letters: among a million dead letters, two share a name once in two thousand times.
ID_LENGTH = 10
# Crockford's base32 in lower case: no letter that a reader takes for a digit.
_READABLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a list shows. Without the content, so that a list of a hundred thousand fits in memory."""

    id: str
    # Where the letter itself stands.
    partition: int
    offset: int
    dead_ms: int
    stage: str
    error: str
    message: str
    attempts: int
    origin_topic: str
    origin_partition: int
    origin_offset: int
    origin_ms: int
    tenant: str
    trace_id: str
    bytes: int
    # The letter that this was before it was redriven; empty for one that died for the first time.
    redriven_from: str


def letter_id(letter: DeadLetter) -> str:
    """The name of a letter: of what died, and at which stage.

    A record that a crash had buried twice is one letter by it, and what is done with the one is done with the other.
    """
    origin = letter.origin
    place = f"{origin.topic}/{origin.partition}/{origin.offset}/{epoch_ms(origin.timestamp)}/{letter.stage}"
    digest = base64.b32encode(blake2b(place.encode(), digest_size=10).digest())
    return digest.translate(_READABLE).decode()[:ID_LENGTH]


def opened(record: Received) -> DeadLetter:
    """The letter in a record; bytes that are none are a letter about themselves, so that they are seen."""
    try:
        return DeadLetter.FromString(record.value or b"")
    except DecodeError:
        return DeadLetter(
            error=DeadLetterError(**{"class": Undecodable.__name__}, message="the bytes are no dead letter"),
            origin=Origin(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                timestamp=timestamp(record.timestamp_ms),
            ),
            headers=[RecordHeader(key=name, value=value or b"") for name, value in record.raw_headers],
            value=record.value or b"",
            key=record.key or b"",
        )


def described(record: Received, letter: DeadLetter) -> Letter:
    """What can be told of the letter in this record."""
    own = {header.key: header.value.decode("utf-8", "replace") for header in letter.headers}
    return Letter(
        id=letter_id(letter),
        partition=record.partition,
        offset=record.offset,
        dead_ms=epoch_ms(letter.dead_at) or record.timestamp_ms,
        stage=letter.stage,
        error=getattr(letter.error, "class"),
        message=letter.error.message,
        attempts=letter.attempts,
        origin_topic=letter.origin.topic,
        origin_partition=letter.origin.partition,
        origin_offset=letter.origin.offset,
        origin_ms=epoch_ms(letter.origin.timestamp),
        tenant=record.headers.get(headers.TENANT) or own.get(headers.TENANT) or _tenant_within(letter, own),
        trace_id=letter.trace_id,
        bytes=len(letter.value),
        redriven_from=own.get(headers.REDRIVEN_FROM, ""),
    )


def _tenant_within(letter: DeadLetter, own: dict[str, str]) -> str:
    """A client that names its tenant in the message only."""
    kind = carried(letter.origin.topic)
    if kind is None or letter.origin.topic == topics.DEAD_LETTERS or "tenant" not in kind.DESCRIPTOR.fields_by_name:
        return ""
    try:
        tenant: str = getattr(decode(letter.value, kind, own.get(headers.CONTENT_TYPE, "")), "tenant", "")
    except Undecodable:
        return ""
    return tenant
