"""Each thing that a consumer may do wrong, done once: a checker that cannot fail proves nothing."""

import pytest

from tests.chaos.consumer.judging import Judgement, Seen, judge

SENT = {"a": 3, "b": 2}
CLEAN = [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2)]


def judged(output: list[tuple[str, int]]) -> Judgement:
    return judge(SENT, [Seen(key, number, at_s=float(at)) for at, (key, number) in enumerate(output)])


def test_a_clean_output_is_clean() -> None:
    assert judged(CLEAN) == Judgement(lost=0, again=0, out_of_order=0, longest_silence_s=1.0)


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        (CLEAN[:-1], {"lost": 1}),
        ([*CLEAN, ("a", 1)], {"again": 1}),
        ([("a", 1), ("a", 0), *CLEAN[1:2], *CLEAN[3:]], {"out_of_order": 1}),
        ([], {"lost": 5}),
    ],
)
def test_what_is_wrong_is_counted(output: list[tuple[str, int]], wrong: dict[str, int]) -> None:
    found = judged(output)
    clean = {"lost": 0, "again": 0, "out_of_order": 0}
    assert {name: getattr(found, name) for name in clean} == clean | wrong


def test_a_repeat_out_of_turn_is_a_repeat_and_no_disorder() -> None:
    assert judged([*CLEAN, ("a", 0)]).out_of_order == 0


def test_the_longest_silence_is_between_two_records() -> None:
    seen = [Seen("a", number, at_s=at) for number, at in enumerate((0.0, 0.5, 7.5))]
    assert judge(SENT, seen).longest_silence_s == 7.0
