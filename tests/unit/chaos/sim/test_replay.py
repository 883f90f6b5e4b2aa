"""A seed is a schedule: the same one goes the same way, step by step."""

import pytest

from tests.chaos.sim.schedules import run_schedule

# How many schedules of each scenario: the whole path takes five times as long as the others.
SEEDS = {"delivery": 30, "once": 30, "flood": 30, "burst": 10, "defect": 5, "path": 5}


@pytest.mark.parametrize("scenario", SEEDS)
def test_a_seed_replays_exactly(scenario: str) -> None:
    first, second = (run_schedule(scenario, 4711) for _ in range(2))
    assert first == second
    assert first.figures["steps"] > 100


def test_seeds_differ() -> None:
    assert len({run_schedule("delivery", seed).digest for seed in range(10)}) == 10


def test_an_event_log_says_what_happened_and_when() -> None:
    told: list[str] = []
    run_schedule("delivery", 1, told=told.append)
    assert any("append" in line for line in told)
    assert any("commit" in line for line in told)


@pytest.mark.parametrize(
    ("scenario", "seed"), [(scenario, seed) for scenario, count in SEEDS.items() for seed in range(count)]
)
def test_the_promises_hold_in_any_schedule(scenario: str, seed: int) -> None:
    assert run_schedule(scenario, seed).violations == ()
