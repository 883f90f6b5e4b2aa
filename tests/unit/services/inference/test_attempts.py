"""Attempts rise, whoever numbers them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.domain.attempts import Attempts

TURN = ("acme", "turn-1")


def test_a_turn_that_is_tried_for_the_first_time_is_attempt_one() -> None:
    assert Attempts().floor(TURN, age_ms=300) == 1


def test_a_retry_in_the_same_millisecond_is_higher() -> None:
    attempts = Attempts()
    attempts.note(TURN, attempts.without_ledger(TURN, age_ms=5))
    assert attempts.without_ledger(TURN, age_ms=5) == 7
    assert attempts.floor(TURN, age_ms=5) == 7


def test_an_attempt_without_the_ledger_knows_whether_another_may_have_been_seen() -> None:
    attempts = Attempts()
    assert not attempts.again(TURN, age_ms=200)
    assert attempts.again(TURN, age_ms=3000)
    attempts.note(TURN, 1)
    assert attempts.again(TURN, age_ms=200)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.integers(1, 5000)),
        min_size=1,
        max_size=12,
    )
)
def test_attempts_rise_however_often_the_ledger_and_the_process_come_and_go(
    deliveries: list[tuple[bool, bool, int]],
) -> None:
    """INVARIANT: a later attempt supersedes an earlier one, so its number is higher, also from another process."""
    process = Attempts()
    in_ledger = 0
    age_ms = 0
    given_out: list[int] = []
    for ledger_there, other_process, later_ms in deliveries:
        age_ms += later_ms
        if other_process and given_out:
            # It takes a second at least until another process has the turn.
            process, age_ms = Attempts(), age_ms + 1000
        if ledger_there:
            attempt = in_ledger = max(in_ledger + 1, process.floor(TURN, age_ms))
        else:
            attempt = process.without_ledger(TURN, age_ms)
        process.note(TURN, attempt)
        given_out.append(attempt)
    assert given_out == sorted(set(given_out))
