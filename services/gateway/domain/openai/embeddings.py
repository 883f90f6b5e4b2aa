"""OpenAI's embeddings: the body read, the vectors in its shape."""

import base64
import struct
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.domain.answers import Answer
from services.gateway.domain.fields import INT32, Fields
from services.gateway.domain.requests import MAX_NAME_CHARS, Question

# A pipeline that makes vectors.
PIPELINE: Final = "embeddings"
MAX_INPUTS: Final = 2048
KNOWN: Final = ("input", "model", "encoding_format", "user", "dimensions")
_ENCODINGS: Final = ("float", "base64")


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One call of `/v1/embeddings`; `packed`: the vectors go out as base64 of their bytes."""

    question: Question
    packed: bool


def read_request(body: dict[str, Any], turn_id: str) -> EmbeddingRequest:
    """Read a body; a parameter that would not be honoured is refused by its name."""
    fields = Fields(body)
    fields.only(KNOWN)
    if fields.has("dimensions"):
        message = "dimensions is not supported: a vector has as many as its model makes, leave it out"
        raise fields.invalid("dimensions", message, code="unsupported_parameter")
    encoding = fields.text("encoding_format", max_chars=MAX_NAME_CHARS) or "float"
    if encoding not in _ENCODINGS:
        raise fields.invalid("encoding_format", f"encoding_format must be one of {', '.join(_ENCODINGS)}")
    question = Question(
        turn_id=turn_id,
        input=_input(fields, body),
        pipeline=PIPELINE,
        model=fields.text("model", max_chars=MAX_NAME_CHARS, required=True),
        user=fields.text("user", max_chars=MAX_NAME_CHARS),
    )
    return EmbeddingRequest(question, packed=encoding == "base64")


def _input(fields: Fields, body: dict[str, Any]) -> tuple[str, ...]:
    if isinstance(body.get("input"), list):
        texts = fields.items("input", max_items=MAX_INPUTS)
        if not texts:
            raise fields.invalid("input", "input is empty: send a text, or an array of texts")
        if any(not isinstance(text, str) for text in texts):
            raise fields.invalid("input", "input must be a text or an array of texts: tokens are not read")
        return fields.strings("input", max_items=MAX_INPUTS, max_chars=INT32)
    return (fields.text("input", max_chars=INT32, required=True),)


def embeddings(request: EmbeddingRequest, answer: Answer) -> dict[str, Any]:
    """The vectors, in the order of the texts."""
    data = [
        {"object": "embedding", "index": index, "embedding": _written(vector, packed=request.packed)}
        for index, vector in enumerate(answer.embeddings)
    ]
    tokens = answer.usage.prompt_tokens
    return {
        "object": "list",
        "data": data,
        "model": answer.model or request.question.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _written(vector: bytes, *, packed: bool) -> str | list[float]:
    return base64.b64encode(vector).decode() if packed else list(struct.unpack(f"<{len(vector) // 4}f", vector))
