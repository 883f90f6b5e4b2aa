"""The run of mutants in memory, a hundred of them: every service on the log, the real store and engine beside them."""

from tests.chaos.mutants import worker


async def test_a_hundred_mutants_are_judged_and_what_was_repaired_goes_through() -> None:
    told = [seen async for seen in worker.shares(seed=5, first=0, count=100)]

    seen = told[-1]
    assert seen["wrong"] == []
    assert seen["mutants"] == 100
    assert seen["valid"] == 10
    assert 0 < seen["unparseable"] == seen["redriven"]
