"""What may be asked."""

from dataclasses import replace

import pytest

from headrace.prompts.template import Label, Message, Sampling
from services.preprocessing.domain.request import Expired, Form, Prompt, Rejected, Review
from services.preprocessing.domain.validation import Limits, check_prompt, check_review

NOW_MS = 1_800_000_000_000
LIMITS = Limits(max_characters=100, max_messages=3)
GOOD = Prompt(turn_id="018f4f2e-7a1b-7c3d-8e4f-5a6b7c8d9e0f", text="Hello?")
USER = Message("user", "Hello?")


def test_a_good_prompt_passes() -> None:
    assert check_prompt(GOOD, LIMITS, NOW_MS) is None
    assert check_prompt(replace(GOOD, turn_id=""), LIMITS, NOW_MS) is None


@pytest.mark.parametrize(
    ("prompt", "code", "field", "named"),
    [
        (replace(GOOD, turn_id="17"), "invalid_turn_id", "turn_id", "UUID"),
        (replace(GOOD, conversation_id="c" * 201), "too_long", "conversation_id", "200"),
        (replace(GOOD, pipeline="p" * 201), "too_long", "pipeline", "201"),
        (replace(GOOD, user="a\nb"), "invalid_characters", "user", "control"),
        (replace(GOOD, deadline_ms=NOW_MS + 90_000_000), "too_long", "deadline", "86,400"),
        (replace(GOOD, text=""), "empty", "text", "1 character"),
        (replace(GOOD, text=" \n\t "), "empty", "text", "1 character"),
        (replace(GOOD, text="x" * 101), "too_long", "text", "101 characters, the limit is 100"),
        (replace(GOOD, messages=(USER,)), "ambiguous", "messages", "both"),
        (replace(GOOD, text="", messages=(USER,) * 4), "too_long", "messages", "4 messages, the limit is 3"),
        (replace(GOOD, text="", messages=(Message("tool", "x"), USER)), "invalid_role", "messages[0].role", "system"),
        (
            replace(GOOD, text="", messages=(USER, Message("assistant", "x"))),
            "invalid_role",
            "messages[1].role",
            "last",
        ),
        (replace(GOOD, text="", messages=(Message("user", "x" * 99), USER)), "too_long", "messages", "105"),
        (replace(GOOD, text="", messages=(USER, Message("user", " "))), "empty", "messages[1].content", "1 character"),
        (replace(GOOD, sampling=Sampling(temperature=2.5)), "out_of_range", "sampling.temperature", "from 0 to 2"),
        (replace(GOOD, sampling=Sampling(temperature=float("nan"))), "out_of_range", "sampling.temperature", "nan"),
        (replace(GOOD, sampling=Sampling(top_p=0.0)), "out_of_range", "sampling.top_p", "above 0"),
        (replace(GOOD, sampling=Sampling(max_tokens=0)), "out_of_range", "sampling.max_tokens", "at least 1"),
        (replace(GOOD, sampling=Sampling(stop=("a",) * 9)), "too_long", "sampling.stop", "8"),
        (replace(GOOD, sampling=Sampling(stop=("a", ""))), "out_of_range", "sampling.stop[1]", "1 to 64"),
        (replace(GOOD, form=Form("yaml")), "invalid_format", "response_format.type", "json_schema"),
        (
            replace(GOOD, form=Form("json_schema", "[1]")),
            "invalid_schema",
            "response_format.json_schema",
            "JSON object",
        ),
        (
            replace(GOOD, form=Form("json_schema", "[" * 9_000)),
            "invalid_schema",
            "response_format.json_schema",
            "JSON object",
        ),
        (replace(GOOD, metadata={str(n): "v" for n in range(33)}), "too_long", "metadata", "33 entries"),
        (replace(GOOD, metadata={"k": "v" * 1_001}), "too_long", "metadata", "1,001"),
    ],
)
def test_what_is_wrong_is_named_with_its_field_and_limit(prompt: Prompt, code: str, field: str, named: str) -> None:
    refusal = check_prompt(prompt, LIMITS, NOW_MS)
    assert isinstance(refusal, Rejected)
    assert (refusal.code, refusal.field) == (code, field)
    assert named in refusal.message


def test_a_deadline_that_has_passed_is_no_fault_of_the_words() -> None:
    refusal = check_prompt(replace(GOOD, deadline_ms=NOW_MS - 5), LIMITS, NOW_MS)
    assert refusal == Expired("deadline passed 5 ms before the prompt was read: set a later one")


@pytest.mark.parametrize(
    "prompt",
    [
        replace(GOOD, text="", messages=(Message("sekrit", "x"), USER)),
        replace(GOOD, turn_id="sekrit"),
        replace(GOOD, form=Form("sekrit")),
        replace(GOOD, metadata={"sekrit": "sekrit" * 200}),
    ],
)
def test_no_error_repeats_what_a_user_wrote(prompt: Prompt) -> None:
    """INVARIANT: errors are logged and traced; users' words are not."""
    refusal = check_prompt(prompt, LIMITS, NOW_MS)
    assert isinstance(refusal, Rejected)
    assert "sekrit" not in refusal.message + refusal.field


REVIEW = Review(review_id="r1", text="Nice.", labels=(Label("good"), Label("bad")))


def test_a_good_review_passes_with_labels_of_its_own_or_none() -> None:
    assert check_review(REVIEW, LIMITS) is None
    assert check_review(replace(REVIEW, labels=()), LIMITS) is None


@pytest.mark.parametrize(
    ("review", "code", "field"),
    [
        (replace(REVIEW, review_id=""), "missing", "review_id"),
        (replace(REVIEW, review_id="r" * 201), "too_long", "review_id"),
        (replace(REVIEW, text=""), "empty", "text"),
        (replace(REVIEW, labels=(Label("good"),)), "too_few", "labels"),
        (replace(REVIEW, labels=(Label("good"), Label("Good "))), "not_unique", "labels"),
        (replace(REVIEW, labels=(Label("good"), Label(" "))), "invalid_label", "labels[1].name"),
        (replace(REVIEW, labels=(Label("good"), Label("b" * 65))), "too_long", "labels[1].name"),
        (replace(REVIEW, labels=(Label("good"), Label("b", "d" * 501))), "too_long", "labels[1].description"),
        (replace(REVIEW, labels=tuple(Label(str(n)) for n in range(21))), "too_long", "labels"),
    ],
)
def test_what_is_wrong_with_a_review_is_named(review: Review, code: str, field: str) -> None:
    refusal = check_review(review, LIMITS)
    assert isinstance(refusal, Rejected)
    assert (refusal.code, refusal.field) == (code, field)
