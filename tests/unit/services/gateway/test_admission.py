from services.gateway.domain.admission import Admission, Admitted, Busy, Cause, Limits


def admission(in_flight: int = 100, waiting: int = 2, queue_s: float = 2.0, deadline_s: float = 100.0) -> Admission:
    return Admission(Limits(in_flight, waiting, queue_s, deadline_s))


def test_no_more_turns_are_held_than_memory_allows_begun_or_not() -> None:
    house = admission(in_flight=2)
    for turn_id in ("a", "b"):
        assert house.admit(turn_id, 0.0) == Admitted()
    house.replied("a", 1.0, has_begun=True)
    assert (house.in_flight, house.waiting) == (2, 1)
    assert house.admit("c", 1.0) == Busy(1, Cause.FULL)
    house.release("a", 1.0)
    assert house.admit("c", 1.0) == Admitted()


def test_a_turn_takes_one_place_however_often_it_is_admitted_begun_and_released() -> None:
    house = admission(in_flight=1)
    house.admit("a", 0.0)
    assert house.admit("a", 0.0) == Admitted()
    for _ in range(2):
        house.replied("a", 1.0, has_begun=True)
    assert house.admit("a", 1.0) == Admitted()
    house.release("a", 1.0)
    house.release("a", 1.0)
    house.replied("a", 1.0, has_begun=True)
    assert (house.in_flight, house.waiting) == (0, 0)


def test_whoever_is_sent_away_later_is_asked_to_come_back_later() -> None:
    house = admission(in_flight=1)
    house.admit("a", 0.0)
    refusals = [house.admit(str(number), 0.0) for number in range(100)]
    times = [refusal.retry_after_s for refusal in refusals if isinstance(refusal, Busy)]
    assert times[:3] == [1, 2, 3]
    assert max(times) == 60
    # The line outside moves on with the time.
    assert house.admit("b", 55.0) == Busy(6, Cause.FULL)


def test_one_client_never_takes_the_places_of_all() -> None:
    house = admission(in_flight=16)
    greedy = [house.admit(f"g{number}", 0.0, client="greedy") for number in range(12)]
    assert all(answer == Admitted() for answer in greedy)
    assert house.admit("m", 0.0, client="modest") == Admitted()
    refused = house.admit("g13", 0.0, client="greedy")
    assert isinstance(refused, Busy)
    assert refused.cause is Cause.SHARE
    assert house.admit("m2", 0.0, client="modest") == Admitted()


def test_what_cannot_be_answered_by_its_deadline_is_refused_now() -> None:
    house = admission(waiting=30)
    for number in range(20):
        house.admit(str(number), 0.0)
    for number in range(10):
        house.replied(str(number), 1.0 + number, has_begun=True)
    # Ten wait and one begins a second.
    late = house.admit("hasty", 10.0, timeout_s=5.0)
    assert isinstance(late, Busy)
    assert late.cause is Cause.LATE
    assert house.admit("patient", 10.0, timeout_s=50.0) == Admitted()


def test_a_path_that_has_stood_still_beyond_the_deadline_takes_nothing() -> None:
    house = admission(deadline_s=100.0)
    house.admit("a", 0.0)
    assert house.admit("b", 99.0) == Admitted()
    late = house.admit("c", 101.0)
    assert isinstance(late, Busy)
    assert late.cause is Cause.LATE


def test_a_log_filled_by_others_counts_where_nothing_here_says_otherwise() -> None:
    house = admission(waiting=1)
    house.worked(1.0)
    for second in range(10):
        house.backlog.note(float(second), lag=60, passed=10 * second)
    assert house.admit("a", 9.0) == Admitted()
    assert house.admit("b", 9.0) == Busy(1, Cause.FULL)
    # One began just now: what is measured here counts more than the lag.
    house.replied("a", 9.0, has_begun=True)
    assert house.admit("b", 9.0) == Admitted()
    assert house.admit("c", 9.0) == Admitted()
