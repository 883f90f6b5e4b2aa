import numpy as np
import pytest

from headrace.cli.eval.rankings import Outcome, cross_validated, estimate, outcome, ratio, reachable

NEEDED = [{"a"}, {"a", "b"}, {*"abcdefghij"}]


def test_recall_is_of_what_is_needed_and_only_the_first_five_count() -> None:
    found = outcome([["x", "a"], ["b", "x"], [*"xxxxa"]], NEEDED)
    assert found.recall.tolist() == [1.0, 0.5, 0.1]
    assert found.first.tolist() == [0.0, 1.0, 0.0]
    assert outcome([[*"xxxxxa"], [], []], NEEDED).recall.tolist() == [0.0, 0.0, 0.0]


def test_five_documents_cannot_be_ten() -> None:
    assert reachable(NEEDED) == pytest.approx((1 + 1 + 0.5) / 3)


def test_an_interval_holds_its_value_and_narrows_with_the_scenarios() -> None:
    few, many = (estimate(np.array([0.0, 1.0] * size)) for size in (10, 1000))
    assert few.low < few.value == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_a_ratio_is_resampled_by_the_same_scenarios() -> None:
    values = np.array([0.2, 0.4, 0.9, 0.1])
    twice = ratio(2 * values, values)
    assert (twice.value, twice.low, twice.high) == pytest.approx((2, 2, 2))


def test_no_scenario_chooses_the_setting_by_which_it_is_judged() -> None:
    """INVARIANT: a setting that is right for one scenario alone gains nothing from it."""
    zeros = np.zeros(10)
    lucky = [Outcome(np.eye(10)[place], zeros) for place in range(10)]
    assert cross_validated([Outcome(zeros, zeros), *lucky]).recall.sum() == 0
    better = Outcome(np.full(10, 0.5), zeros)
    assert cross_validated([Outcome(zeros, zeros), better]).recall.tolist() == [0.5] * 10
