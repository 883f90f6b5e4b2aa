import pytest

from headrace.messaging.errors import Fatal, Invalid, Retryable, Undecodable
from headrace.messaging.retries import Bury, Consequence, RetryInPlace, RetryLater, RetryPolicy, Stop, consequence

POLICY = RetryPolicy(tries=3, base_ms=100, ceiling_ms=250, rest_ms=1000, deliveries=2)


def after(error: BaseException, tries: int = 1, delivery: int = 1, *, ordered: bool = False) -> Consequence:
    return consequence(
        error, tries=tries, delivery=delivery, now_ms=50_000, jitter=0.999999, policy=POLICY, ordered=ordered
    )


@pytest.mark.parametrize("error", [Invalid("no"), Undecodable("no")])
def test_what_will_never_work_is_buried_at_once(error: Exception) -> None:
    assert after(error) == Bury()


def test_what_no_message_can_pass_stops_the_service() -> None:
    assert after(Fatal("no policy")) == Stop()


def test_a_retryable_error_is_tried_in_place_then_later_then_buried() -> None:
    assert after(Retryable("busy"), tries=1) == RetryInPlace(99)
    assert after(Retryable("busy"), tries=2) == RetryInPlace(199)
    assert after(Retryable("busy"), tries=3) == RetryLater(50_999)
    assert after(Retryable("busy"), tries=3, delivery=2) == Bury()


def test_an_unforeseen_error_is_treated_as_retryable() -> None:
    assert after(KeyError("x")) == RetryInPlace(99)
    assert after(KeyError("x"), tries=3, delivery=2) == Bury()


def test_what_the_failing_side_asked_for_is_respected() -> None:
    assert after(Retryable("busy", retry_after_ms=2000)) == RetryInPlace(2000)
    assert after(Retryable("busy", retry_after_ms=9000), tries=3) == RetryLater(58_999)


def test_a_stream_never_leaves_its_place() -> None:
    assert isinstance(after(Retryable("busy"), tries=5, ordered=True), RetryInPlace)
    assert after(Retryable("busy"), tries=6, ordered=True) == Bury()
