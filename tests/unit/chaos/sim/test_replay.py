"""A seed is a schedule: the same one goes the same way, step by step."""

import pytest

from tests.chaos.sim.schedules import run_schedule


@pytest.mark.parametrize("scenario", ["delivery", "once", "flood", "burst", "path", "defect"])
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


@pytest.mark.parametrize("seed", range(30))
def test_delivery_keeps_its_promises_in_any_schedule(seed: int) -> None:
    assert run_schedule("delivery", seed).violations == ()


@pytest.mark.parametrize("seed", range(30))
def test_transactions_keep_their_promises_in_any_schedule(seed: int) -> None:
    assert run_schedule("once", seed).violations == ()


@pytest.mark.parametrize("seed", range(30))
def test_a_flood_of_failures_loses_nothing_in_any_schedule(seed: int) -> None:
    assert run_schedule("flood", seed).violations == ()


@pytest.mark.parametrize("seed", range(10))
def test_a_burst_is_worked_off_in_any_schedule(seed: int) -> None:
    assert run_schedule("burst", seed).violations == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_defect_in_one_service_costs_no_answer_in_any_schedule(seed: int) -> None:
    assert run_schedule("defect", seed).violations == ()


@pytest.mark.parametrize("seed", range(5))
def test_the_path_keeps_its_promises_in_any_schedule(seed: int) -> None:
    assert run_schedule("path", seed).violations == ()
