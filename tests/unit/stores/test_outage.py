"""When a silent server is left alone, and when it is tried."""

from headrace.stores.outage import REST_SECONDS, TRIAL_SECONDS, Outage


def test_a_server_that_answers_is_never_refused() -> None:
    outage = Outage()
    assert not outage.refuses(0)
    outage.answered()
    assert not outage.refuses(0)


def test_after_one_timeout_one_call_tries_at_once_and_the_others_are_refused() -> None:
    outage = Outage()
    outage.timed_out(10)
    assert [outage.refuses(10.0), outage.refuses(10.0), outage.refuses(10.5)] == [False, True, True]


def test_one_answer_lets_everybody_in_again() -> None:
    outage = Outage()
    outage.timed_out(10)
    outage.answered()
    assert not any(outage.refuses(10) for _ in range(3))


def test_after_a_second_timeout_it_is_left_alone_for_a_rest() -> None:
    outage = Outage()
    outage.timed_out(10)
    outage.refuses(10)
    outage.timed_out(11)
    assert outage.refuses(11 + REST_SECONDS / 2)
    assert not outage.refuses(11 + REST_SECONDS)


def test_a_try_that_is_never_heard_of_again_does_not_keep_others_away_for_ever() -> None:
    outage = Outage()
    outage.timed_out(10)
    outage.refuses(10)
    assert not outage.refuses(10 + TRIAL_SECONDS)
