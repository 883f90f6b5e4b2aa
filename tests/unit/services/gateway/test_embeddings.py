"""The body of OpenAI's embeddings call, and its answer."""

import base64
import struct

import pytest

from headrace.messaging.errors import Invalid
from services.gateway.domain.answers import Answer, Status, Usage
from services.gateway.domain.openai.embeddings import embeddings, read_request

VECTOR = struct.pack("<3f", 0.5, -1.0, 0.25)
ANSWER = Answer(1, Status.ANSWERED, "", 0, usage=Usage(7), model="m-1", embeddings=(VECTOR,))


@pytest.mark.parametrize(("sent", "texts"), [("Hi", ("Hi",)), (["Hi", "Ho"], ("Hi", "Ho"))])
def test_one_text_or_many(sent: object, texts: tuple[str, ...]) -> None:
    request = read_request({"model": "m", "input": sent}, "id")
    assert (request.question.input, request.question.pipeline, request.packed) == (texts, "embeddings", False)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": [[1], [2]]}, "input"),
        ({"input": ["half \ud800"]}, "input[0]"),
        ({"input": 7}, "input"),
        ({"model": None}, "model"),
        ({"dimensions": 64}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"inputs": []}, "inputs"),
    ],
)
def test_what_would_not_be_honoured_is_refused_by_name(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_request({"model": "m", "input": "Hi", **changed}, "id")
    assert refused.value.field == field


def test_vectors_as_numbers_and_as_bytes() -> None:
    plain = embeddings(read_request({"model": "m", "input": "Hi"}, "id"), ANSWER)
    packed = embeddings(read_request({"model": "m", "input": "Hi", "encoding_format": "base64"}, "id"), ANSWER)
    assert plain["data"] == [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0, 0.25]}]
    assert base64.b64decode(packed["data"][0]["embedding"]) == VECTOR
    assert (plain["model"], plain["usage"]) == ("m-1", {"prompt_tokens": 7, "total_tokens": 7})
