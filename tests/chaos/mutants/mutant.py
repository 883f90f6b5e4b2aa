"""A mutant: a valid message with faults that its seed and number give, and nothing else."""

from dataclasses import dataclass
from random import Random
from typing import Final

from headrace.messaging import headers, topics
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import JSON, PROTOBUF
from tests.chaos.mutants import byte_faults, field_faults, header_faults, json_faults
from tests.chaos.mutants.messages import Sample
from tests.chaos.mutants.samples import any_topic, sample

# Names the mutant in its own headers, so that it is found in a dead letter.
TAG: Final = "mutant"


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is sent, what it was made from (which repairs it), and the faults by name."""

    number: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    sample: Sample
    faults: tuple[str, ...]


def mutant(seed: int, number: int, now_ms: int, topic: str = "") -> Mutant:
    """The same for the same seed and number, but for the moments in it, which are counted from `now_ms`."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 - replays, guards nothing
    made = sample(topic or any_topic(chance), chance, now_ms)
    key, value, held = made.key.encode() or None, made.value, made.headers
    faults: list[str] = []
    kind = chance.random()
    if kind < 0.06:
        # Alone: a redrive keeps the key that a letter had.
        key = chance.choice(header_faults.KEYS)
        faults.append("key")
    elif kind < 0.18:
        held = _headers(held, chance, faults)
    elif kind < 0.21:
        return Mutant(number, made.topic, key, None, _tagged(held, number), made, ("tombstone",))
    else:
        value, held = _value(made, held, chance, faults)
        if chance.random() < 0.2:
            held = _headers(held, chance, faults)
    return Mutant(number, made.topic, key, value, _tagged(held, number), made, tuple(faults))


def _headers(held: header_faults.Headers, chance: Random, faults: list[str]) -> header_faults.Headers:
    for _ in range(chance.choice((1, 1, 2))):
        fault = chance.choice(header_faults.FAULTS)
        faults.append(f"headers: {fault.__name__}")
        held = fault(held, chance)
    return held


def _value(
    made: Sample, held: header_faults.Headers, chance: Random, faults: list[str]
) -> tuple[bytes, header_faults.Headers]:
    message = type(made.message)()
    message.CopyFrom(made.message)
    encoding = made.encoding
    kind = chance.random()
    if kind < 0.35:
        count = chance.choice((1, 1, 1, 3))
        faults.extend([f"field: {field_faults.absurd(message, chance)}" for _ in range(count)])
        if encoding == JSON:
            # Absurd moments have no JSON: those go as Protobuf.
            encoding, held = PROTOBUF, _of_kind(held, made, PROTOBUF)
        return encode(message, encoding), held
    if kind < 0.4:
        other = sample(chance.choice((topics.PROMPTS, topics.FEEDBACK, topics.DELTAS_CLEARED)), chance, 10**12)
        faults.append(f"another message: {other.message.DESCRIPTOR.name}")
        return other.value, held
    if encoding == JSON or kind < 0.5:
        fault = chance.choice(json_faults.FAULTS)
        faults.append(f"json: {fault.__name__}")
        return json_faults.damaged(encode(message, JSON), fault, chance), _of_kind(held, made, JSON)
    damage = chance.choice(byte_faults.FAULTS)
    faults.append(f"bytes: {damage.__name__}")
    return damage(made.value, chance), held


def _of_kind(held: header_faults.Headers, made: Sample, encoding: str) -> header_faults.Headers:
    kind = content_type(type(made.message), JSON if encoding == JSON else PROTOBUF)
    return header_faults.with_header(held, headers.CONTENT_TYPE, kind.encode())


def _tagged(held: header_faults.Headers, number: int) -> tuple[tuple[str, bytes], ...]:
    return header_faults.with_header(held, TAG, str(number).encode())
