"""Bounds of figures from samples."""

import pytest

from headrace.bench.intervals import wilson


def test_wilsons_interval_is_that_of_the_tables() -> None:
    """Newcombe 1998, table I: 81 of 263 has 0.2553 to 0.3662."""
    interval = wilson(81, 263)
    assert (interval.low, interval.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (wilson(0, 20).low, wilson(20, 20).high) == pytest.approx((0, 1))
