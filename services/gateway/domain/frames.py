"""What a client says over its websocket: one JSON object a frame, read into what it wants or what is wrong with it."""

from dataclasses import dataclass
from typing import Any

from headrace.messaging.errors import Invalid
from services.gateway.domain.fields import INT32, Fields, read_object
from services.gateway.domain.requests import (
    MAX_ID_CHARS,
    MAX_METADATA_CHARS,
    MAX_METADATA_ENTRIES,
    MAX_NAME_CHARS,
    MAX_TIMEOUT_MS,
    RATED,
    Question,
    Rating,
    Sampling,
)

TYPES = ("ask", "resume", "cancel", "feedback")
_ASK = (
    "type", "id", "conversation", "text", "pipeline", "model", "template", "metadata", "sampling", "user", "timeout_ms",
)  # fmt: skip
_FEEDBACK = ("type", "id", *RATED)


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer this; a known id is resumed from its start."""

    question: Question


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after `after_seq` (-1: from the start) of `attempt`."""

    turn_id: str
    after_seq: int
    attempt: int | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this turn."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Feedback on a turn."""

    rating: Rating


@dataclass(frozen=True, slots=True)
class BadFrame:
    """What is wrong with a frame; `turn_id` is empty where it named none that could be read."""

    turn_id: str
    problem: Invalid


Frame = Ask | Resume | Cancel | Rate


def read_frame(raw: str | bytes, *, max_bytes: int) -> Frame | BadFrame:
    """Read one frame. A binary one is refused: the protocol is JSON text."""
    if isinstance(raw, bytes):
        return BadFrame(
            "", Invalid("binary frames are not read: send JSON as a text frame", code="bad_json", field="frame")
        )
    body: dict[str, Any] = {}
    try:
        body = read_object(raw, max_bytes=max_bytes)
        return _read(Fields(body))
    except Invalid as problem:
        return BadFrame(_id_of(body), problem)


def _read(fields: Fields) -> Frame:
    kind = fields.text("type", max_chars=MAX_NAME_CHARS, required=True)
    if kind not in TYPES:
        raise fields.invalid("type", f"unknown type: use one of {', '.join(TYPES)}", code="unknown_type")
    turn_id = fields.turn_id("id")
    if kind == "ask":
        fields.only(_ASK)
        return Ask(
            Question(
                turn_id=turn_id,
                conversation_id=fields.text("conversation", max_chars=MAX_ID_CHARS),
                # An empty text is for preprocessing to answer, as it does for every other way in.
                text=fields.text("text", max_chars=INT32, required=True),
                pipeline=fields.text("pipeline", max_chars=MAX_NAME_CHARS),
                model=fields.text("model", max_chars=MAX_NAME_CHARS),
                template=fields.text("template", max_chars=MAX_NAME_CHARS),
                metadata=fields.texts("metadata", max_items=MAX_METADATA_ENTRIES, max_chars=MAX_METADATA_CHARS),
                user=fields.text("user", max_chars=MAX_NAME_CHARS),
                sampling=Sampling.read(fields.nested("sampling")),
                timeout_ms=fields.integer("timeout_ms", 1, MAX_TIMEOUT_MS) or 0,
            )
        )
    if kind == "resume":
        fields.only(("type", "id", "after_seq", "attempt"))
        after_seq = fields.integer("after_seq", -1, INT32)
        return Resume(turn_id, -1 if after_seq is None else after_seq, fields.integer("attempt", 0, INT32))
    if kind == "cancel":
        fields.only(("type", "id"))
        return Cancel(turn_id)
    fields.only(_FEEDBACK)
    return Rate(Rating.read(fields, id_field="id"))


def _id_of(body: dict[str, Any]) -> str:
    try:
        return Fields(body).turn_id("id")
    except Invalid:
        return ""
