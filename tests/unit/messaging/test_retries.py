import pytest

from headrace.messaging.errors import Fatal, Invalid, Retryable, Undecodable
from headrace.messaging.retries import Bury, Consequence, RetryInPlace, RetryLater, RetryPolicy, Stop, consequence

POLICY = RetryPolicy(tries=3, base_ms=100, ceiling_ms=250, rests_ms=(1000, 8000))


def after(error: BaseException, tries: int = 1, delivery: int = 1, *, ordered: bool = False) -> Consequence:
    return consequence(
        error, tries=tries, delivery=delivery, now_ms=50_000, jitter=0.999999, policy=POLICY, ordered=ordered
    )


@pytest.mark.parametrize("error", [Invalid("no"), Undecodable("no")])
def test_what_will_never_work_is_buried_at_once(error: Exception) -> None:
    assert after(error) == Bury()


def test_what_no_message_can_pass_stops_the_service() -> None:
    assert after(Fatal("no policy")) == Stop()


def test_a_retryable_error_is_tried_in_place_then_ever_later_then_buried() -> None:
    assert after(Retryable("busy"), tries=1) == RetryInPlace(99)
    assert after(Retryable("busy"), tries=2) == RetryInPlace(199)
    assert after(Retryable("busy"), tries=3) == RetryLater(1, 50_999)
    assert after(Retryable("busy"), tries=3, delivery=2) == RetryLater(2, 57_999)
    assert after(Retryable("busy"), tries=3, delivery=3) == Bury()


def test_an_unforeseen_error_is_treated_as_retryable() -> None:
    assert after(KeyError("x")) == RetryInPlace(99)
    assert after(KeyError("x"), tries=3, delivery=3) == Bury()


def test_what_the_failing_side_asked_for_is_respected() -> None:
    assert after(Retryable("busy", retry_after_ms=240)) == RetryInPlace(240)
    assert after(Retryable("busy", retry_after_ms=9000), tries=3) == RetryLater(1, 59_000)


def test_whoever_has_to_wait_long_makes_room_at_once() -> None:
    assert after(Retryable("busy", retry_after_ms=2000), tries=1) == RetryLater(1, 52_000)


def test_ordered_work_rests_in_its_place_as_long_as_others_do_on_the_retry_topics() -> None:
    assert after(Retryable("busy"), tries=1, ordered=True) == RetryInPlace(99)
    assert after(Retryable("busy"), tries=3, ordered=True) == RetryInPlace(999)
    assert after(Retryable("busy"), tries=4, ordered=True) == RetryInPlace(7999)
    assert after(Retryable("busy"), tries=5, ordered=True) == Bury()
    assert after(Retryable("busy", retry_after_ms=2000), tries=1, ordered=True) == RetryInPlace(2000)
