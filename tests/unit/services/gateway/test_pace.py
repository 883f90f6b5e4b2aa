import pytest

from services.gateway.domain.pace import Pace


def begin(pace: Pace, now: float, *, waiting: bool = True) -> None:
    pace.advance(now, waiting=waiting)
    pace.begin()
    pace.move()


def test_a_steady_pace_is_measured_as_what_it_is() -> None:
    pace = Pace()
    for step in range(1, 51):
        begin(pace, step / 10)
    assert pace.per_second == pytest.approx(10.0, rel=0.02)


def test_a_quiet_hour_changes_nothing() -> None:
    pace = Pace()
    for step in range(1, 51):
        begin(pace, step / 10)
    before = pace.per_second
    pace.advance(3600.0, waiting=False)
    assert (pace.per_second, pace.owed) == (before, 0)


def test_a_path_that_stands_still_owes_what_it_did_not_begin_and_is_not_slower_for_it() -> None:
    pace = Pace()
    for step in range(1, 51):
        begin(pace, step / 10)
    pace.advance(16.0, waiting=True)
    assert pace.owed == pytest.approx(100, abs=15)
    for step in range(1, 51):
        begin(pace, 16 + step / 10)
    assert pace.per_second == pytest.approx(10.0, rel=0.2)
    assert pace.owed == pytest.approx(75, abs=15)


def test_long_answers_that_fill_every_slot_are_no_stall() -> None:
    pace = Pace()
    for step in range(1, 51):
        begin(pace, step / 10)
    for step in range(50):
        pace.advance(5 + step / 5, waiting=True)
        pace.move()
    assert pace.owed == 0
    assert pace.per_second == pytest.approx(1.4, abs=0.5)
