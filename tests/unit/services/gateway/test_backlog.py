import pytest

from services.gateway.domain.backlog import Backlog


def test_the_wait_is_lag_over_throughput_without_the_own_work() -> None:
    backlog = Backlog()
    for second in range(10):
        backlog.note(float(second), lag=60, passed=20 * second)
    assert backlog.wait_s(9.0, work_s=1.0) == pytest.approx(2.0)
    assert backlog.wait_s(9.0, work_s=5.0) == 0.0


def test_nobody_can_say_before_something_moved_or_long_after_the_last_reading() -> None:
    backlog = Backlog()
    assert backlog.wait_s(0.0, work_s=0.0) is None
    backlog.note(0.0, lag=5, passed=0)
    assert backlog.wait_s(0.0, work_s=0.0) is None
    backlog.note(1.0, lag=5, passed=5)
    assert backlog.wait_s(1.0, work_s=0.0) == pytest.approx(1.0)
    assert backlog.wait_s(5.0, work_s=0.0) is None


def test_a_restart_of_a_stage_does_not_count_as_slowness() -> None:
    backlog = Backlog()
    for second in range(5):
        backlog.note(float(second), lag=10, passed=10 * second)
    for second in range(5, 15):
        backlog.note(float(second), lag=10 * second, passed=40)
        if second > 6:
            assert backlog.wait_s(float(second), work_s=0.0) is None
    for second in range(15, 18):
        backlog.note(float(second), lag=100, passed=40 + 50 * (second - 14))
    assert backlog.wait_s(17.0, work_s=0.0) == pytest.approx(2.0)
