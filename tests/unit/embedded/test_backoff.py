from headrace.embedded.backoff import CEILING_SECONDS, WELL_SECONDS, Deaths


def test_the_first_death_is_answered_almost_at_once() -> None:
    assert Deaths().after_running(5).delay_seconds == 0.25


def test_each_quick_death_doubles_the_wait_up_to_the_ceiling() -> None:
    deaths = Deaths()
    waits = []
    for _ in range(12):
        deaths = deaths.after_running(1)
        waits.append(deaths.delay_seconds)
    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits[-1] == CEILING_SECONDS


def test_a_part_that_was_well_for_long_starts_over() -> None:
    worn = Deaths(in_a_row=9)
    assert worn.after_running(WELL_SECONDS) == Deaths(1)
