"""What counts as feedback, and what it is worth."""

import re
from dataclasses import dataclass
from typing import Final

from headrace.runtime.ratings import REASONS

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RATINGS: Final[dict[str, tuple[int, ...]]] = {"thumbs": (-1, 1), "stars": (1, 2, 3, 4, 5)}
# As ratings are counted.
RATING_NAMES: Final = ("up", "down", "1", "2", "3", "4", "5", "none")
# Between the worst and the best of a scale, so that thumbs and stars can be averaged together.
_WORTH: Final[dict[tuple[str, int], float]] = {
    **{("thumbs", rating): (rating + 1) / 2 for rating in (-1, 1)},
    **{("stars", rating): (rating - 1) / 4 for rating in (1, 2, 3, 4, 5)},
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a person may write."""

    max_comment_characters: int = 4_000
    max_correction_characters: int = 32_000
    max_user_characters: int = 200


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of one answer. `rating` 0 means none: then there is a comment or a correction."""

    feedback_id: str
    turn_id: str
    tenant: str
    user: str
    scale: str
    rating: int
    comment: str
    correction: str
    consent_to_train: bool
    submitted_at_ms: int
    # Of `REASONS`, each once and in their order.
    reasons: tuple[str, ...] = ()

    @property
    def worth(self) -> float | None:
        """The rating from 0 (worst) to 1 (best); `None` without one."""
        return _WORTH.get((self.scale, self.rating))


@dataclass(frozen=True, slots=True)
class CompletedTurn:
    """How one answer came about: what feedback is joined with."""

    turn_id: str
    tenant: str
    conversation_id: str
    subject: str
    arm: str
    status: str
    pipeline: str
    template: str
    model: str
    revision: str
    policy: str
    corpus: str
    finish_reason: str
    cached: bool
    prompt_tokens: int
    completion_tokens: int
    trace_id: str
    question: str
    answer: str
    # Documents that the answer was given, those it cites first.
    documents: tuple[str, ...]
    completed_at_ms: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """What is wrong with feedback; it never quotes what a person wrote."""

    code: str
    message: str
    field: str


def check(feedback: Feedback, limits: Limits) -> Rejected | None:
    """The first thing that is wrong; `None` if it may be kept."""
    for name, value in (("feedback_id", feedback.feedback_id), ("turn_id", feedback.turn_id)):
        if not _UUID.fullmatch(value):
            return Rejected("invalid_id", f"{name} must be a UUID", name)
    if rejected := _check_rating(feedback):
        return rejected
    for name, value, limit in (
        ("comment", feedback.comment, limits.max_comment_characters),
        ("correction", feedback.correction, limits.max_correction_characters),
        ("user", feedback.user, limits.max_user_characters),
    ):
        if len(value) > limit:
            return Rejected(
                "too_long", f"{name} has {len(value):,} characters, the limit is {limit:,}: shorten it", name
            )
    return None


def _check_rating(feedback: Feedback) -> Rejected | None:
    if feedback.scale not in _RATINGS:
        return Rejected("invalid_scale", f"scale must be one of {', '.join(_RATINGS)}", "scale")
    if feedback.rating not in (0, *_RATINGS[feedback.scale]):
        allowed = ", ".join(map(str, _RATINGS[feedback.scale]))
        message = f"rating is {feedback.rating}: on the scale {feedback.scale} it is one of {allowed}"
        return Rejected("out_of_range", message, "rating")
    if unknown := [reason for reason in feedback.reasons if reason not in REASONS]:
        # Not quoted: a free text in the wrong field is still somebody's words.
        message = f"{len(unknown)} of the reasons are none: they are {', '.join(REASONS)}; the rest is for the comment"
        return Rejected("invalid_reason", message, "reasons")
    if not (feedback.rating or feedback.comment or feedback.correction):
        return Rejected("empty", "rating, comment and correction are all empty: say at least one", "rating")
    return None


def rating_name(feedback: Feedback) -> str:
    """A rating as it is counted: up, down, 1 to 5, none."""
    if feedback.rating == 0:
        return "none"
    if feedback.scale == "thumbs":
        return "up" if feedback.rating > 0 else "down"
    return str(feedback.rating)
