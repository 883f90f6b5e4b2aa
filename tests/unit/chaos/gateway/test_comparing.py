import random

import pytest

from tests.chaos.gateway.comparing import change, percentile


def noisy(effect: float, pairs: int = 30) -> list[tuple[float, float]]:
    chance = random.Random(3)  # noqa: S311 - the same noise each time
    return [
        (base * chance.uniform(0.95, 1.05), base * effect * chance.uniform(0.95, 1.05))
        for base in (chance.uniform(1, 5) for _ in range(pairs))
    ]


def test_a_drifting_machine_hides_no_effect_and_makes_none() -> None:
    nothing, tenth = change(noisy(1.0), 1), change(noisy(1.1), 1)
    assert nothing.low < 1.0 < nothing.high
    assert tenth.low > 1.05
    assert tenth.ratio == pytest.approx(1.1, abs=0.03)


def test_few_pairs_say_little_and_the_interval_says_so() -> None:
    assert change(noisy(1.0, pairs=4), 1).high - change(noisy(1.0, pairs=4), 1).low > 0.02
    assert str(change([(1.0, 1.03)], 1)) == "+3.0 % [+3.0, +3.0]"


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(number) for number in range(1, 101)], 0.99) == 99.0
