"""What a client may want, whichever way it came in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from headrace.runtime.ratings import REASONS
from services.gateway.domain.fields import INT32, INT64, Fields

MAX_ID_CHARS = 128
MAX_NAME_CHARS = 128
MAX_STOPS = 16
MAX_STOP_CHARS = 256
# What the feedback service takes as it ships (HEADRACE_FEEDBACK_MAX_…): said at the door and not in a dead letter.
MAX_COMMENT_CHARS = 4_000
MAX_CORRECTION_CHARS = 32_000
MAX_CHOICES = 64
MAX_CHOICE_CHARS = 256
MAX_TIMEOUT_MS = 86_400_000
# Their number and length are for preprocessing to judge.
MAX_METADATA_ENTRIES = 256
MAX_METADATA_CHARS = 100_000
# The fields of a rating, beside that which names its turn.
RATED = ("rating", "scale", "reasons", "comment", "correction", "consent_to_train", "feedback_id", "user")


@dataclass(frozen=True, slots=True)
class Sampling:
    """None: the template's default. Ranges are for preprocessing to judge; here only what the wire can carry."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    # Alternatives to tell with each token, and the probabilities of all; None: no probabilities.
    logprobs: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> "Sampling":
        """From a frame's `sampling` object."""
        fields.only(("temperature", "top_p", "max_tokens", "seed", "stop"))
        return cls(
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            max_tokens=fields.integer("max_tokens", 1, INT32),
            seed=fields.integer("seed", -INT64, INT64),
            stop=fields.strings("stop", max_items=MAX_STOPS, max_chars=MAX_STOP_CHARS),
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation that the client keeps itself."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form that the answer must have; its type is for preprocessing to judge."""

    type: str = ""
    # A JSON schema, as JSON text.
    json_schema: str = ""
    choices: tuple[str, ...] = ()

    @classmethod
    def read(cls, fields: Fields) -> "ResponseFormat":
        """From OpenAI's `response_format`, which knows no choices: those are ours."""
        fields.only(("type", "json_schema", "choices"))
        kind = fields.text("type", max_chars=MAX_NAME_CHARS, required=True)
        if kind != "json_schema":
            return cls(kind, "", fields.strings("choices", max_items=MAX_CHOICES, max_chars=MAX_CHOICE_CHARS))
        named = fields.nested("json_schema")
        named.only(("name", "description", "schema", "strict"))
        named.flag("strict")
        if not named.has("schema"):
            raise named.invalid("schema", f"{named.name('schema')} is missing: send a JSON schema")
        return cls(kind, json.dumps(named.nested("schema").content, ensure_ascii=False, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt: `text`, with the conversation's memory behind it, or all `messages` at once."""

    turn_id: str
    conversation_id: str = ""
    text: str = ""
    messages: tuple[Message, ...] = ()
    # Texts to be made vectors, in place of both.
    input: tuple[str, ...] = ()
    pipeline: str = ""
    model: str = ""
    # A prompt template, and what fills the slots that it has of its own.
    template: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    response_format: ResponseFormat = field(default_factory=ResponseFormat)
    # How long the client would wait; 0: as long as the pipeline gives it.
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person says of an answer: -1 or 1 on "thumbs", 1 to 5 on "stars"."""

    turn_id: str
    rating: int
    scale: str
    feedback_id: str = ""
    comment: str = ""
    correction: str = ""
    consent_to_train: bool = False
    user: str = ""
    reasons: tuple[str, ...] = ()

    @classmethod
    def read(cls, fields: Fields, *, id_field: str) -> "Rating":
        """From a frame or a body; the scale defaults to thumbs."""
        scale = fields.text("scale", max_chars=16) or "thumbs"
        if scale not in {"thumbs", "stars"}:
            raise fields.invalid("scale", 'scale must be "thumbs" (rating -1 or 1) or "stars" (rating 1 to 5)')
        rating = fields.integer("rating", -INT32, INT32)
        allowed = (-1, 1) if scale == "thumbs" else (1, 2, 3, 4, 5)
        if rating is None or rating not in allowed:
            choices = ", ".join(str(choice) for choice in allowed)
            raise fields.invalid("rating", f'rating must be one of {choices} on the scale "{scale}"')
        reasons = fields.strings("reasons", max_items=len(REASONS), max_chars=MAX_NAME_CHARS)
        if not set(reasons) <= set(REASONS):
            raise fields.invalid("reasons", f"each of reasons must be one of {', '.join(REASONS)}")
        return cls(
            turn_id=fields.turn_id(id_field),
            rating=rating,
            scale=scale,
            feedback_id=fields.turn_id("feedback_id") if fields.has("feedback_id") else "",
            comment=fields.text("comment", max_chars=MAX_COMMENT_CHARS),
            correction=fields.text("correction", max_chars=MAX_CORRECTION_CHARS),
            consent_to_train=fields.flag("consent_to_train"),
            user=fields.text("user", max_chars=MAX_NAME_CHARS),
            reasons=reasons,
        )
