"""Each promise, broken once: a checker that cannot fail proves nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.path.journal import Line
from tests.chaos.path.judging import Accepted, generations_repeated, repeated, violations
from tests.chaos.path.observed import ClassSeen, FinalSeen, Observed

ACCEPTED = Accepted(
    turns=frozenset({"t1", "t2"}),
    reviews=frozenset({"r1"}),
    ratings=frozenset({"f1", "f2"}),
    conversations={"c": ("t1", "t2")},
)


def clean() -> Observed:
    """A run in which all was well, one kill included."""
    finals = {turn: [FinalSeen("ANSWERED", "Yes. No.", 1, 2)] for turn in ("t1", "t2")}
    return Observed(
        finals=finals,
        pieces={turn: {(1, 0): {"Yes."}, (1, 1): {" No."}} for turn in finals},
        classes={"r1": [ClassSeen("positive", 0.9)] * 2},
        remembered={"c": ["t1", "t2"]},
        ratings=["f1", "f2"],
        turns_kept=["t1", "t2"],
        ratings_counted=2,
        turns_counted=2,
        journal=[
            Line(1, "generated", "t1"),
            Line(2, "generated", "t1"),
            Line(3, "committed", "t1", 2),
            Line(4, "generated", "t2"),
            Line(5, "generated", "turn of r1"),
        ],
    )


def test_a_clean_run_breaks_nothing_however_often_a_message_stands_on_its_topic() -> None:
    seen = clean()
    assert violations(ACCEPTED, seen) == []
    assert repeated(seen.classes) == 1
    assert generations_repeated(seen.journal) == 1


def _lose_a_final(seen: Observed) -> None:
    del seen.finals["t2"]


def _lose_a_class(seen: Observed) -> None:
    del seen.classes["r1"]


def _lose_a_rating(seen: Observed) -> None:
    seen.ratings, seen.ratings_counted = ["f1"], 1


def _fail_a_turn(seen: Observed) -> None:
    seen.finals["t1"] = [FinalSeen("FAILED", "", 0, 0, "internal")]


def _fail_a_review(seen: Observed) -> None:
    seen.classes["r1"] = [ClassSeen("", 0.0, "internal")]


def _answer_twice(seen: Observed) -> None:
    seen.finals["t1"].append(FinalSeen("ANSWERED", "Perhaps.", 2, 1))


def _classify_twice(seen: Observed) -> None:
    seen.classes["r1"].append(ClassSeen("negative", 0.6))


def _mix_streams(seen: Observed) -> None:
    seen.pieces["t1"][1, 1] = {" No.", " Perhaps."}


def _lose_a_delta(seen: Observed) -> None:
    del seen.pieces["t2"][1, 1]


def _remember_twice(seen: Observed) -> None:
    seen.remembered = {"c": ["t1", "t2", "t2"]}


def _remember_in_another_order(seen: Observed) -> None:
    seen.remembered = {"c": ["t2", "t1"]}


def _keep_a_rating_twice(seen: Observed) -> None:
    seen.ratings, seen.ratings_counted = ["f1", "f2", "f2"], 3


def _count_a_turn_twice(seen: Observed) -> None:
    seen.turns_counted = 3


def _generate_after_the_commit(seen: Observed) -> None:
    seen.journal = [*seen.journal, Line(6, "generated", "t1")]


def _commit_two_attempts(seen: Observed) -> None:
    seen.journal = [*seen.journal, Line(6, "committed", "t1", 3)]


def _blind_the_witness(seen: Observed) -> None:
    seen.journal = seen.journal[:-1]


def _bury(seen: Observed) -> None:
    seen.dead_letters = ["safety: KeyError"]


@pytest.mark.parametrize(
    ("sabotage", "told"),
    [
        (_lose_a_final, "lost: a turn was accepted and has no final: t2"),
        (_lose_a_class, "lost: a review was accepted and has no class: r1"),
        (_lose_a_rating, "lost: a rating was accepted and is not kept: f2"),
        (_fail_a_turn, "failed: a turn's final is no answer: t1 (FAILED internal)"),
        (_fail_a_review, "failed: a review has no class but an error: r1 (internal)"),
        (_answer_twice, "doubled: finals of one turn differ: t1"),
        (_classify_twice, "doubled: classes of one review differ: r1"),
        (_mix_streams, "mixed: a place of a stream holds two texts: t1 (attempt 1, seq 1)"),
        (_lose_a_delta, "incoherent: the deltas of the final's attempt do not join to its text: t2"),
        (_remember_twice, "memory: c remembers 3 turns of 2, 2 different ones"),
        (_remember_in_another_order, "memory: c remembers its turns in another order than they were asked in"),
        (_keep_a_rating_twice, "doubled: a rating is kept twice: f2"),
        (_count_a_turn_twice, "counted wrong: the report counts 3 turns of 2"),
        (_generate_after_the_commit, "generated again after its result was final: t1"),
        (_commit_two_attempts, "generated again after its result was final: t1 (attempts 2 and 3 both final)"),
        (_blind_the_witness, "unseen: no engine is known to have been asked for it: 2 were asked for 2 turns and 1"),
        (_bury, "dead letter: 1 of safety: KeyError"),
    ],
)
def test_a_broken_promise_is_told_with_its_ids(sabotage: Callable[[Observed], None], told: str) -> None:
    seen = clean()
    sabotage(seen)
    assert any(violation.startswith(told) for violation in violations(ACCEPTED, seen))


def test_of_many_ids_a_few_are_named_and_the_rest_is_counted() -> None:
    accepted = replace(ACCEPTED, reviews=frozenset(f"r{number}" for number in range(20)))
    assert "lost: a review was accepted and has no class: r0, r10, r11, r12, r13 and 14 more" in violations(
        accepted, clean()
    )
