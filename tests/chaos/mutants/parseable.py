"""Whether a record can be parsed: judged by the contract and Protobuf's own library, without the code under attack.

The contract: the last `content-type` counts; its `type` names the message; JSON or Protobuf by its media type, or by
the first byte where it names neither; on a retry topic, the message is that of the topic it came from.
"""

import re
from dataclasses import dataclass
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from headrace.messaging import topics
from headrace.messaging.carried import carried
from tests.chaos.mutants.mutant import Mutant

# Where the absence of a value says something.
_TOMBSTONES: Final = frozenset({topics.FEEDBACK, topics.KNOWLEDGE, topics.TURNS_COMPLETED})
_RETRIES: Final = re.compile(r"headrace\.retries\.(\w+)\.(interactive|batch)\.\d\.v1")
_SOURCES: Final = {
    "preprocessing": {topics.PROMPTS, topics.REVIEWS},
    "grounding": {*(topics.turns("grounding", lane) for lane in topics.LANES), topics.KNOWLEDGE},
    "safety": {
        *(topics.turns(stage, lane) for stage in ("safety", "output") for lane in topics.LANES),
        topics.DELTAS_GENERATED,
    },
    "inference": {topics.turns("inference", lane) for lane in topics.LANES},
    "postprocessing": {*(topics.turns("postprocessing", lane) for lane in topics.LANES), topics.DELTAS_CLEARED},
    "feedback": {topics.FEEDBACK, topics.TURNS_COMPLETED},
}


@dataclass(frozen=True, slots=True)
class Parses:
    """It is a message; None for a tombstone that means something."""

    message: Message | None


@dataclass(frozen=True, slots=True)
class Unparseable:
    """It is none."""


@dataclass(frozen=True, slots=True)
class Nobodys:
    """It waits for a next try and does not say of what, so that nobody can tell what it should be."""


Judgement = Parses | Unparseable | Nobodys


def judged(mutant: Mutant) -> Judgement:
    """What a reader must find in it."""
    held = {name: (value or b"").decode("utf-8", "replace") for name, value in mutant.headers}
    source = mutant.topic
    if waiting := _RETRIES.fullmatch(source):
        source = held.get("origin-topic", "")
        if source not in _SOURCES[waiting[1]]:
            return Nobodys()
    kind = carried(source)
    if kind is None:
        raise AssertionError(f"the attack sends to {source}, of which nothing is known")
    if mutant.value is None:
        return Parses(None) if source in _TOMBSTONES else Unparseable()
    media, *parameters = held.get("content-type", "").split(";")
    for parameter in parameters:
        name, _, said = parameter.partition("=")
        if name.strip().lower() in ("type", "messagetype", "proto"):
            if said.strip().strip('"') not in ("", kind.DESCRIPTOR.full_name):
                return Unparseable()
            break
    message = _read(mutant.value, kind, media.strip().lower())
    return Unparseable() if message is None else Parses(message)


def _read(value: bytes, kind: type[Message], media: str) -> Message | None:
    if media in ("application/json", "text/json") or media.endswith("+json"):
        return _of_json(value, kind)
    known = media in ("application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf")
    if not known and value.strip()[:1] in (b"{", b"[", b'"'):
        return _of_json(value, kind)
    message = kind()
    try:
        message.ParseFromString(value)
    except DecodeError:
        return None
    return message


def _of_json(value: bytes, kind: type[Message]) -> Message | None:
    message = kind()
    try:
        text = value.decode("utf-8")
        # A message is an object; the library would read an empty list as one too.
        return json_format.Parse(text, message) if re.match(r"\s*\{", text) else None
    except (ValueError, RecursionError, json_format.ParseError):
        return None
