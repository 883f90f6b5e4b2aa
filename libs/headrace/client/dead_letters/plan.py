"""What redriving a letter would publish, and where. Pure."""

from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import Message

from headrace.client.dead_letters.deadline import extended, extended_header, usual_seconds
from headrace.client.dead_letters.repair import Body, Repair, body_of, with_header
from headrace.client.dead_letters.route import route
from headrace.messaging import headers, topics
from headrace.messaging.codec import content_type, encode, encoding_of
from headrace.messaging.contract import JSON, PROTOBUF, Encoding
from headrace.messaging.dead_letters import Onward
from headrace.messaging.errors import Invalid, Undecodable
from headrace.messaging.letters import letter_id
from headrace.runtime.pipelines import Pipelines
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.turns_pb2 import Turn

# Nothing that died came from here, and nothing may be put here but by those who keep them.
_NEVER: Final = frozenset({topics.DEAD_LETTERS, topics.DISPOSITIONS})


@dataclass(frozen=True, slots=True)
class Wish:
    """How letters are to go back: from a stage on (empty: to where they came from), with how much time, mended."""

    stage: str = ""
    # None: what the turn's pipeline gives.
    deadline_s: float | None = None
    repair: Repair = field(default_factory=Repair)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be published. `doubt` says why it is likely to die again, if it is."""

    onward: Onward
    doubt: str = ""


def plan(letter: DeadLetter, wish: Wish, pipelines: Pipelines, *, now_ms: int) -> Planned:
    """The record to publish, or `Invalid` that says what to do instead."""
    source = letter.origin.topic
    if source not in topics.all_topics() - _NEVER:
        raise Invalid(f"it came from {source!r}, where no service reads: take its bytes by `headrace dlq show --raw`")
    body = body_of(letter, wish.repair)
    held = _named(letter, body)
    message, doubt = _read(body, source)
    until_ms = now_ms + int(1000 * (wish.deadline_s or usual_seconds(message, pipelines)))
    held = extended_header(held, until_ms)
    key = None if letter.keyless else letter.key
    if message is None:
        if wish.stage:
            raise Invalid(
                f"its bytes are no turn: {doubt}. Mend it by --edit-from or --value, or leave --from-stage out"
            )
        return Planned(_back(letter, key, body.value, held), doubt)
    if not wish.stage:
        changed = extended(message, until_ms)
        value = encode(message, encoding_of(body.value or b"", body.content_type)) if changed else body.value
        return Planned(_back(letter, key, value, held))
    chosen = route(message, source, wish.stage, pipelines)
    encoding = encoding_of(body.value or b"", body.content_type)
    if isinstance(message, Turn) and not isinstance(chosen.message, Turn):
        # Opened again: what the first stage reads of a request beside its bytes is in the turn.
        encoding = JSON if message.reply.encoding == JSON else PROTOBUF
        asked = str(message.reply.partition) if message.reply.HasField("partition") else None
        held = with_header(held, headers.REPLY_PARTITION, asked)
    extended(chosen.message, until_ms)
    return Planned(
        _rerouted(chosen.topic, key if chosen.key is None else chosen.key.encode(), chosen.message, encoding, held)
    )


def _read(body: Body, topic: str) -> tuple[Message | None, str]:
    if body.value is None:
        return None, ""
    try:
        return body.message(topic), ""
    except Undecodable as exc:
        return None, str(exc)


def _named(letter: DeadLetter, body: Body) -> tuple[tuple[str, bytes], ...]:
    """The headers with the letter's id, and the identity by which the message was known.

    A message that named itself nowhere was known by its place: ids that were derived from it must not change.
    """
    held = with_header(body.headers, headers.REDRIVEN_FROM, letter_id(letter))
    if any(name == headers.MESSAGE_ID and value for name, value in held):
        return held
    origin = letter.origin
    return with_header(held, headers.MESSAGE_ID, f"{origin.topic}/{origin.partition}/{origin.offset}")


def _back(letter: DeadLetter, key: bytes | None, value: bytes | None, held: tuple[tuple[str, bytes], ...]) -> Onward:
    if key is None and value is None:
        raise Invalid("it has neither key nor value, which says nothing to anybody: purge it")
    # To the partition it came from, whatever way its producer chose that one: order holds there and only there.
    return Onward(letter.origin.topic, key, value, held, letter.origin.partition)


def _rerouted(
    topic: str, key: bytes | None, message: Message, encoding: Encoding, held: tuple[tuple[str, bytes], ...]
) -> Onward:
    return Onward(
        topic,
        key,
        encode(message, encoding),
        with_header(held, headers.CONTENT_TYPE, content_type(type(message), encoding)),
    )
