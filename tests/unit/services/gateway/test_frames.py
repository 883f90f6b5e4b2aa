import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.domain.fields import MAX_DEPTH
from services.gateway.domain.frames import Ask, BadFrame, Cancel, Frame, Rate, Resume, read_frame
from services.gateway.domain.requests import Question, Rating, Sampling

ID = "7d0c5c5e-27a9-4a3c-9d3c-6a0fdc5c6d11"
LIMIT = 4096


def read(**fields: object) -> Frame | BadFrame:
    return read_frame(json.dumps(fields), max_bytes=LIMIT)


def problem(raw: str | bytes) -> tuple[str, str]:
    frame = read_frame(raw, max_bytes=LIMIT)
    assert isinstance(frame, BadFrame), frame
    assert str(frame.problem)
    return frame.problem.code, frame.problem.field


def test_an_ask_carries_everything_that_shapes_the_answer() -> None:
    sampling = {"temperature": 0, "top_p": 0.9, "max_tokens": 64, "seed": 7, "stop": ["\n"]}
    frame = read(type="ask", id=ID, conversation="c", text="Hi", pipeline="chat", model="m", sampling=sampling)
    assert frame == Ask(
        Question(ID, "c", "Hi", pipeline="chat", model="m", sampling=Sampling(0.0, 0.9, 64, 7, ("\n",)))
    )


def test_an_empty_text_is_for_preprocessing_to_answer() -> None:
    assert isinstance(read(type="ask", id=ID, text=""), Ask)


def test_a_resume_without_a_place_begins_at_the_start() -> None:
    assert read(type="resume", id=ID) == Resume(ID, -1, None)
    assert read(type="resume", id=ID, after_seq=3, attempt=2) == Resume(ID, 3, 2)


def test_an_id_is_the_same_in_any_case() -> None:
    assert read(type="cancel", id=ID.upper()) == Cancel(ID)


def test_a_rating_is_a_thumb_unless_it_says_stars() -> None:
    assert read(type="feedback", id=ID, rating=-1, comment="no") == Rate(Rating(ID, -1, "thumbs", comment="no"))
    assert read(type="feedback", id=ID, rating=4, scale="stars") == Rate(Rating(ID, 4, "stars"))


def ask(more: str) -> str:
    """An `ask` with one more thing in it, as it stands on the wire."""
    return f'{{"type": "ask", "id": "{ID}", "text": "a", {more}}}'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ("bad_json", "frame")),
        ("{", ("bad_json", "frame")),
        ("[]", ("bad_json", "frame")),
        ('"ask"', ("bad_json", "frame")),
        ("null", ("bad_json", "frame")),
        ('{"type": NaN}', ("bad_json", "frame")),
        (b'{"type":"ask"}', ("bad_json", "frame")),
        ("x" * (LIMIT + 1), ("too_large", "frame")),
        ("é" * (LIMIT // 2 + 1), ("too_large", "frame")),
        ("{}", ("missing_field", "type")),
        ('{"type": 1}', ("invalid_field", "type")),
        ('{"type": "shout"}', ("unknown_type", "type")),
        ('{"type": "ask"}', ("missing_field", "id")),
        ('{"type": "ask", "id": "1"}', ("invalid_field", "id")),
        ('{"type": "ask", "id": 7}', ("invalid_field", "id")),
        ('{"type": "ask", "id": "{7d0c5c5e27a94a3c9d3c6a0fdc5c6d11}"}', ("invalid_field", "id")),
        (f'{{"type": "ask", "id": "{ID}"}}', ("missing_field", "text")),
        (f'{{"type": "ask", "id": "{ID}", "text": ["a"]}}', ("invalid_field", "text")),
        (f'{{"type": "ask", "id": "{ID}", "text": "\\ud800"}}', ("invalid_field", "text")),
        (ask('"txt": "b"'), ("unknown_field", "txt")),
        (ask(f'"conversation": "{"c" * 129}"'), ("too_long", "conversation")),
        (ask('"sampling": 1'), ("invalid_field", "sampling")),
        (ask('"sampling": {"top_p": "1"}'), ("invalid_field", "sampling.top_p")),
        (ask('"sampling": {"seed": 1e999}'), ("invalid_field", "sampling.seed")),
        (ask(f'"sampling": {{"temperature": 1{"0" * 400}}}'), ("invalid_field", "sampling.temperature")),
        (ask('"sampling": {"stop": [1]}'), ("invalid_field", "sampling.stop[0]")),
        (f'{{"type": "resume", "id": "{ID}", "after_seq": -2}}', ("invalid_field", "after_seq")),
        (f'{{"type": "resume", "id": "{ID}", "after_seq": true}}', ("invalid_field", "after_seq")),
        (f'{{"type": "feedback", "id": "{ID}"}}', ("invalid_field", "rating")),
        (f'{{"type": "feedback", "id": "{ID}", "rating": 5}}', ("invalid_field", "rating")),
        (f'{{"type": "feedback", "id": "{ID}", "rating": 1, "scale": "moons"}}', ("invalid_field", "scale")),
        ('{"type": ' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}", ("too_deep", "frame")),
        ('{"a":' * 500 + "1" + "}" * 500, ("too_deep", "frame")),
    ],
)
def test_a_bad_frame_names_its_field(raw: str | bytes, expected: tuple[str, str]) -> None:
    assert problem(raw) == expected


def test_a_bad_frame_keeps_the_id_that_it_named() -> None:
    frame = read(type="ask", id=ID, text=1)
    assert isinstance(frame, BadFrame)
    assert frame.turn_id == ID


def test_a_limit_is_named_with_what_was_sent() -> None:
    frame = read_frame("x" * 5000, max_bytes=LIMIT)
    assert isinstance(frame, BadFrame)
    assert "5000" in str(frame.problem)
    assert str(LIMIT) in str(frame.problem)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=16),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


ODD_FIELDS = ("text", "conversation", "sampling", "after_seq", "attempt", "rating", "scale", "comment", "user")


@settings(deadline=None, max_examples=50)
@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["ask", "resume", "cancel", "feedback"]), "id": st.uuids().map(str)},
        optional=dict.fromkeys(ODD_FIELDS, JSON_VALUES),
    )
)
def test_no_frame_is_too_odd_to_be_answered(fields: dict[str, object]) -> None:
    frame = read_frame(json.dumps(fields), max_bytes=LIMIT)
    if isinstance(frame, BadFrame):
        assert frame.problem.code
        assert frame.problem.field
