"""Vectors and answers are measured apart."""

from services.gateway.domain.admission import Admitted, Busy, Limits
from services.gateway.domain.doors import Doors
from services.gateway.domain.requests import Question

LIMITS = Limits(in_flight=100, waiting=2, queue_s=2.0, deadline_s=120.0)


def admit(doors: Doors, turn_id: str, *, vectors: bool = False, now: float = 1.0) -> Admitted | Busy:
    question = Question(turn_id=turn_id, input=("a text",) if vectors else (), text="" if vectors else "Hi?")
    return doors.admit(question, now, client="", timeout_s=None)


def fill(doors: Doors, *, vectors: bool = False) -> int:
    """Ask until somebody is sent away; how many were let in."""
    count = 0
    while isinstance(admit(doors, f"{vectors} {count}", vectors=vectors), Admitted):
        count += 1
    return count


def test_a_full_queue_of_questions_keeps_no_text_out() -> None:
    doors = Doors(LIMITS)
    asked = fill(doors)
    assert doors.answers.waiting == asked
    assert isinstance(admit(doors, "v", vectors=True), Admitted)
    assert doors.answers.waiting == asked


def test_quick_vectors_do_not_make_the_path_of_answers_look_quick() -> None:
    doors, untouched = Doors(LIMITS), Doors(LIMITS)
    for number in range(200):
        now = number / 50
        assert isinstance(admit(doors, f"v{number}", vectors=True, now=now), Admitted)
        doors.replied(f"v{number}", now + 0.01, has_begun=True)
        doors.release(f"v{number}", now + 0.01)
    assert doors.answers.limit == untouched.answers.limit


def test_a_place_that_is_given_back_is_free_again() -> None:
    doors = Doors(LIMITS)
    assert fill(doors, vectors=True) > 1
    doors.release("True 0", 1.0)
    doors.release("True 0", 1.0)
    assert isinstance(admit(doors, "next", vectors=True), Admitted)
    assert isinstance(admit(doors, "one more", vectors=True), Busy)
