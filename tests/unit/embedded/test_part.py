import pytest

from headrace.embedded.part import stop_waves


def test_what_others_need_stops_after_them() -> None:
    needs = {
        "kafka": frozenset[str](),
        "valkey": frozenset[str](),
        "ray": frozenset({"valkey"}),
        "gateway": frozenset({"kafka", "valkey"}),
        "inference": frozenset({"kafka", "valkey", "ray"}),
    }
    assert stop_waves(needs) == (
        frozenset({"gateway", "inference"}),
        frozenset({"kafka", "ray"}),
        frozenset({"valkey"}),
    )


def test_a_circle_is_named_not_waited_for() -> None:
    with pytest.raises(ValueError, match="a, b"):
        stop_waves({"a": frozenset({"b"}), "b": frozenset({"a"})})
