"""How the window is divided, and how tokens are drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.prompts.template import Cache, Sampling
from services.preprocessing.domain.budget import LEAST_NEW_TOKENS, Budget, Window, budget
from services.preprocessing.domain.drawing import cacheable, drawn
from services.preprocessing.domain.request import Rejected

WINDOW = Window(context_window=1_000, max_new_tokens=300)


@given(used=st.integers(0, 2_000), asked=st.none() | st.integers(1, 500), usual=st.integers(1, 500))
def test_what_is_planned_fits(used: int, asked: int | None, usual: int) -> None:
    """INVARIANT: used, remaining and new tokens are the window exactly, and none is negative."""
    plan = budget(WINDOW, used, asked=asked, usual=usual, field="text")
    if isinstance(plan, Budget):
        assert plan.used + plan.remaining + plan.max_new_tokens == plan.context_window
        assert plan.remaining >= 0
        assert 1 <= plan.max_new_tokens <= WINDOW.max_new_tokens
        assert asked is None or plan.max_new_tokens == asked


def test_sources_and_history_get_what_is_left() -> None:
    assert budget(WINDOW, 100, asked=None, usual=256, field="text") == Budget(1_000, 256, 100, 644)


def test_the_usual_length_gives_way_to_a_long_prompt() -> None:
    assert budget(WINDOW, 900, asked=None, usual=256, field="text") == Budget(1_000, 100, 900, 0)


def test_what_a_client_asks_for_is_never_cut_quietly() -> None:
    plan = budget(WINDOW, 900, asked=256, usual=64, field="text")
    assert isinstance(plan, Rejected)
    assert (plan.code, plan.field) == ("too_long", "text")
    assert "900 tokens" in plan.message
    assert "the limit is 744" in plan.message


def test_a_prompt_that_leaves_no_room_for_an_answer_is_too_long() -> None:
    plan = budget(WINDOW, 1_000 - LEAST_NEW_TOKENS + 1, asked=None, usual=256, field="messages[2].content")
    assert isinstance(plan, Rejected)
    assert plan.field == "messages[2].content"


def test_asking_for_more_than_the_model_gives_names_its_limit() -> None:
    plan = budget(WINDOW, 10, asked=301, usual=64, field="text")
    assert isinstance(plan, Rejected)
    assert (plan.code, plan.field) == ("out_of_range", "sampling.max_tokens")
    assert "300" in plan.message


def test_what_the_client_chose_wins_over_the_template() -> None:
    usual = Sampling(temperature=0.2, top_p=0.9, max_tokens=256, stop=("END",))
    assert drawn(Sampling(temperature=0.0, seed=7), usual, 100) == Sampling(0.0, 0.9, 100, 7, ("END",))


@pytest.mark.parametrize(
    ("cache", "asked", "usual", "kept"),
    [
        ("never", Sampling(), Sampling(temperature=0.0), False),
        ("greedy", Sampling(), Sampling(temperature=0.0), True),
        ("greedy", Sampling(), Sampling(temperature=0.2), False),
        ("greedy", Sampling(temperature=0.0), Sampling(temperature=0.2), True),
        ("always", Sampling(), Sampling(temperature=0.2), True),
        ("always", Sampling(temperature=1.0), Sampling(temperature=0.2), False),
        ("always", Sampling(temperature=1.0, seed=7), Sampling(temperature=0.2), True),
    ],
)
def test_an_answer_is_kept_only_where_asking_again_may_repeat_it(
    cache: Cache, asked: Sampling, usual: Sampling, *, kept: bool
) -> None:
    assert cacheable(cache, asked, drawn(asked, usual, 10)) is kept
