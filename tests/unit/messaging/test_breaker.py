from headrace.messaging.breaker import Breaker, BreakerPolicy

POLICY = BreakerPolicy(consecutive=5, ratio=0.5, window=20, cooldown_s=1.0, ceiling_s=8.0)


def test_a_row_of_failures_opens_it() -> None:
    breaker = Breaker(POLICY)
    assert [breaker.failed() for _ in range(5)] == [False, False, False, False, True]
    assert breaker.open


def test_what_passes_in_between_breaks_the_row() -> None:
    breaker = Breaker(POLICY)
    for _ in range(4):
        breaker.failed()
    breaker.passed()
    assert not any(breaker.failed() for _ in range(4))


def test_half_of_a_full_window_opens_it_though_no_row_is_long() -> None:
    breaker = Breaker(POLICY)
    for _ in range(9):
        breaker.passed()
        assert not breaker.failed()
    breaker.passed()
    assert breaker.failed()


def test_a_few_failures_among_the_first_messages_do_not() -> None:
    breaker = Breaker(POLICY)
    breaker.failed()
    breaker.passed()
    assert not breaker.failed()


def test_a_probe_that_fails_rests_longer_up_to_the_ceiling_and_closing_forgets_it() -> None:
    breaker = Breaker(POLICY)
    for _ in range(5):
        breaker.failed()
    rests = []
    for _ in range(5):
        rests.append(breaker.cooldown_s)
        breaker.probe_failed()
    assert rests == [1.0, 2.0, 4.0, 8.0, 8.0]
    breaker.close()
    assert not breaker.open
    assert breaker.cooldown_s == 1.0
    assert not breaker.failed()


def test_nothing_opens_a_breaker_that_is_switched_off() -> None:
    breaker = Breaker(BreakerPolicy(consecutive=0))
    assert not any(breaker.failed() for _ in range(1000))
