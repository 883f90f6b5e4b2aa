"""What counts as feedback."""

from dataclasses import replace

import pytest

from services.feedback.domain.feedback import Feedback, Limits, Rejected, check, rating_name

TURN = "018f4f2e-7a1b-7c3d-8e4f-5a6b7c8d9e0f"
LIMITS = Limits()
GOOD = Feedback(
    feedback_id=TURN,
    turn_id=TURN,
    tenant="acme",
    user="zoe",
    scale="thumbs",
    rating=1,
    comment="",
    correction="",
    consent_to_train=False,
    submitted_at_ms=1,
)


@pytest.mark.parametrize(
    ("feedback", "worth", "name"),
    [
        (GOOD, 1.0, "up"),
        (replace(GOOD, rating=-1), 0.0, "down"),
        (replace(GOOD, scale="stars", rating=1), 0.0, "1"),
        (replace(GOOD, scale="stars", rating=4), 0.75, "4"),
        (replace(GOOD, rating=0, comment="Wrong."), None, "none"),
        (replace(GOOD, rating=0, correction="Five days."), None, "none"),
    ],
)
def test_what_people_may_say(feedback: Feedback, worth: float | None, name: str) -> None:
    assert check(feedback, LIMITS) is None
    assert (feedback.worth, rating_name(feedback)) == (worth, name)


@pytest.mark.parametrize(
    ("feedback", "code", "field"),
    [
        (replace(GOOD, feedback_id=""), "invalid_id", "feedback_id"),
        (replace(GOOD, turn_id="17"), "invalid_id", "turn_id"),
        (replace(GOOD, scale="percent"), "invalid_scale", "scale"),
        (replace(GOOD, rating=2), "out_of_range", "rating"),
        (replace(GOOD, scale="stars", rating=6), "out_of_range", "rating"),
        (replace(GOOD, scale="stars", rating=-1), "out_of_range", "rating"),
        (replace(GOOD, rating=0), "empty", "rating"),
        (replace(GOOD, reasons=("accuracy", "my boss said so")), "invalid_reason", "reasons"),
        (replace(GOOD, comment="c" * 4_001), "too_long", "comment"),
        (replace(GOOD, correction="c" * 32_001), "too_long", "correction"),
    ],
)
def test_what_is_wrong_is_named(feedback: Feedback, code: str, field: str) -> None:
    rejected = check(feedback, LIMITS)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.field) == (code, field)
