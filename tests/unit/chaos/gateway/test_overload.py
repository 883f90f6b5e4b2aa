"""The checker of overload finds each promise broken."""

import math
from dataclasses import replace

import pytest

from tests.chaos.gateway.crowd import Outcome
from tests.chaos.gateway.overload import GROWTH_BYTES, Overload, Phase, violations


def answered(at: float, took_s: float = 1.0) -> Outcome:
    return Outcome(at, at, what="answered", ended_at=at + took_s)


def refused(at: float, took_s: float = 0.002) -> Outcome:
    return Outcome(at, at, what="refused", ended_at=at + took_s, retry_after=3)


def flood(per_second: float = 10.0, took_s: float = 0.002) -> Phase:
    answers = [answered(20 + number / per_second, 2.0) for number in range(int(58 * per_second))]
    return Phase(20.0, 80.0, [*answers, *(refused(20 + number / 100, took_s) for number in range(5_000))])


GOOD = Overload(
    phases={
        "normal": Phase(0.0, 10.0, [answered(number / 2) for number in range(20)]),
        "overload": flood(),
        "after": Phase(80.0, 100.0, [refused(80.5), *(answered(81 + number / 2) for number in range(30))]),
    },
    capacity=10.0,
    lateness=[(20 + number / 100, 0.0001) for number in range(6_000)],
    refusals={0.005: 4_900, 0.010: 4_990, math.inf: 5_000},
    memory=[(float(second), 100_000_000) for second in range(100)],
)


def test_a_run_that_keeps_every_promise_has_no_violation() -> None:
    assert not list(violations(GOOD))


def phase(name: str, changed: Phase) -> Overload:
    return replace(GOOD, phases={**GOOD.phases, name: changed})


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (phase("overload", flood(per_second=8.5)), "answers/s under overload"),
        (replace(GOOD, refusals={0.010: 4_900, math.inf: 5_000}), "took the gateway more than 10 ms"),
        (phase("overload", flood(took_s=0.012)), "clients waited 12.0 ms"),
        (phase("overload", Phase(20.0, 80.0, [answered(20.0), Outcome(20.0, 20.0)])), "neither answered nor refused"),
        (phase("overload", Phase(20.0, 80.0, [answered(20.0), answered(21.0)])), "nobody was refused"),
        (
            phase("overload", Phase(20.0, 80.0, [*flood().outcomes, replace(refused(30.0), retry_after=0)])),
            "did not say when to come back",
        ),
        (replace(GOOD, memory=[*GOOD.memory, (70.0, 100_000_000 + GROWTH_BYTES + 1)]), "the gateway grew by"),
        (replace(GOOD, memory=[(at, int(1e8 + at * 5e5)) for at, _ in GOOD.memory]), "still grew by"),
        (phase("after", Phase(80.0, 100.0, [refused(86.0), answered(87.0)])), "were refused more than 5 s after"),
        (phase("after", Phase(80.0, 100.0, [answered(86.0, 1.5), answered(87.0, 1.5)])), "answers took 1.50 s"),
        (phase("after", Phase(80.0, 100.0, [answered(81.0)])), "answers took inf s"),
    ],
)
def test_a_broken_promise_is_found(broken: Overload, sentence: str) -> None:
    assert any(sentence in found for found in violations(broken))
