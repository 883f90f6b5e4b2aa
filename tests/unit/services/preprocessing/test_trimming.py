"""Which of a client's earlier messages go first."""

from headrace.prompts.template import Message
from services.preprocessing.domain.budget import Budget
from services.preprocessing.domain.request import Rejected
from services.preprocessing.domain.trimming import beginnings, good

ROLES = ("user", "assistant", "user", "user", "assistant")


def test_a_kept_history_begins_with_a_question() -> None:
    assert beginnings([Message(role, "x") for role in ROLES]) == [0, 2, 3, 5]
    assert beginnings([Message("assistant", "x")]) == [0, 1]
    assert beginnings([]) == [0, 0]


def test_history_gives_way_to_the_answer_and_to_sources() -> None:
    plan = Budget(context_window=1000, max_new_tokens=200, used=300, remaining=500)
    assert good(plan, wanted=200, room=500)
    assert not good(plan, wanted=200, room=501)
    assert not good(plan, wanted=201, room=0)
    assert not good(Rejected("too_long", "", "text"), wanted=1, room=0)
