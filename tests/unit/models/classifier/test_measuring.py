"""Figures with their intervals."""

import pytest

from headrace.models.classifier.measuring import measure


def test_figures_are_those_of_the_textbook() -> None:
    figures = measure([0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 0], ("bad", "good"))
    assert figures.accuracy.value == 6 / 8
    bad, good = figures.classes
    assert (bad.texts, bad.precision, bad.recall, bad.f1) == (3, 2 / 3, 2 / 3, 2 / 3)
    assert (good.texts, good.precision, good.recall, good.f1) == (5, 4 / 5, 4 / 5, 4 / 5)
    assert figures.macro_f1.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert figures.macro_f1.low < figures.macro_f1.value < figures.macro_f1.high


def test_a_class_that_nobody_has_does_not_count() -> None:
    assert measure([0, 0], [0, 0], ("bad", "good")).macro_f1.value == 1


def test_nothing_measured_is_no_error() -> None:
    assert measure([], [], ("bad", "good")).texts == 0
