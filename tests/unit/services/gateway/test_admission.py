from services.gateway.domain.admission import Admission, Admitted, Busy


def test_a_full_house_says_when_a_place_is_likely_free() -> None:
    admission = Admission(2)
    for turn_id in ("a", "b"):
        assert admission.admit(turn_id, 0.0) == Admitted()
    assert admission.admit("c", 0.0) == Busy(retry_after_s=1, limit=2)
    admission.release("a", 100.0)
    assert admission.admit("c", 100.0) == Admitted()
    assert admission.admit("d", 100.0) == Busy(retry_after_s=11, limit=2)


def test_a_turn_takes_one_place_however_often_it_is_admitted_and_released() -> None:
    admission = Admission(1)
    admission.admit("a", 0.0)
    assert admission.admit("a", 0.0) == Admitted()
    admission.release("a", 1.0)
    admission.release("a", 1.0)
    assert admission.in_flight == 0


def test_nobody_is_sent_away_for_longer_than_a_minute() -> None:
    admission = Admission(1)
    admission.admit("a", 0.0)
    admission.release("a", 1e6)
    admission.admit("b", 1e6)
    busy = admission.admit("c", 1e6)
    assert busy == Busy(retry_after_s=60, limit=1)
