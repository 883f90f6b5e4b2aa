"""The judge of a cell finds whatever does not hold: each promise is broken here once."""

from dataclasses import replace

from tests.chaos.toxics.asking import PATIENCE_S, Question, Told
from tests.chaos.toxics.judging import Cell, Seen, recovered_s, violations

NORMAL_S = 1.0
RELIEVED_AT = 100.0


def told(number: int, at: float, seconds: float = 0.5, status: str = "ANSWERED", *, sourced: bool = True) -> Told:
    ended = at + seconds if seconds < PATIENCE_S else None
    return Told(Question(1, number, 4.0), at, ended, status if ended else "", final=status.isupper(), sourced=sourced)


def seen(*, sick: tuple[Told, ...] = (), after: tuple[Told, ...] = (), again: tuple[Told, ...] = ()) -> Seen:
    calm = tuple(told(number, 80.0 + number) for number in range(4))
    usual_sick = tuple(told(10 + number, 95.0 + number) for number in range(4))
    usual_after = tuple(told(20 + number, RELIEVED_AT + number / 2) for number in range(4))
    return Seen(calm, sick or usual_sick, after or usual_after, again, RELIEVED_AT, NORMAL_S)


def found(what: Seen, dependency: str = "kafka") -> str:
    return "; ".join(violations(Cell(dependency, "down", 1), what))  # type: ignore[arg-type]  # of the four


def test_a_path_that_held_gives_no_violation() -> None:
    for dependency in ("kafka", "redis", "qdrant", "model", "collector"):
        assert not found(seen(), dependency)


def test_an_answer_after_the_deadline_and_its_grace_is_found_and_one_within_is_not() -> None:
    assert not found(seen(sick=(told(9, 95, 4.3),)))
    assert "ANSWERED after 4.5 s, its deadline was 4.0 s" in found(seen(sick=(told(9, 95, 4.5),)))


def test_silence_is_found() -> None:
    assert "nothing, its deadline was 4.0 s" in found(seen(sick=(told(9, 95, PATIENCE_S),)))


def test_an_error_that_is_not_honest_is_found_and_an_honest_one_is_not() -> None:
    assert not found(seen(sick=(told(9, 95, 0.1, "unavailable"),)))
    assert "it ended as internal" in found(seen(sick=(told(9, 95, 0.1, "internal"),)))


def test_whoever_can_do_without_must_answer() -> None:
    assert "redis is sick and it was not answered" in found(seen(sick=(told(9, 95, 0.1, "EXPIRED"),)), "redis")


def test_an_answer_without_sources_has_to_say_so() -> None:
    silent = told(9, 95, sourced=False)
    assert "does not say so" in found(seen(sick=(silent,)), "qdrant")
    honest = replace(silent, notices=["sources_unavailable"])
    assert not found(seen(sick=(honest,)), "qdrant")


def test_what_is_lost_after_relief_is_found() -> None:
    assert "was asked again after relief and ended as unavailable" in found(
        seen(again=(told(9, 110, 0.1, "unavailable"),))
    )


def test_recovery_counts_from_relief_to_the_first_question_since_which_all_is_normal() -> None:
    late = (told(1, 100.5, 3.0), told(2, 106.0), told(3, 106.5))
    assert recovered_s(seen(after=late)) == 6.0
    assert "back to normal after 6.0 s of relief" in found(seen(after=late))
    relapse = (told(1, 100.5), told(2, 101.0), told(3, 101.5, 0.1, "too_busy"))
    assert recovered_s(seen(after=relapse)) is None
    assert "not at all" in found(seen(after=relapse))


def test_a_collector_that_slows_answers_is_found() -> None:
    assert "answers took 1.50 s, 0.50 s without" in found(seen(sick=(told(9, 95, 1.5),)), "collector")


def test_text_that_comes_twice_is_found() -> None:
    asked = told(9, 95)
    for seq in (0, 0):
        asked.take({"type": "delta", "seq": seq, "attempt": 1, "text": "twice "}, 95.1)
    assert "delta 0 of attempt 1 came again" in found(seen(sick=(asked,)))


def test_a_stream_that_is_not_the_answer_is_found() -> None:
    asked = Told(Question(1, 9, 4.0), 95.0, sourced=True)
    asked.take({"type": "delta", "seq": 0, "attempt": 1, "text": "one"}, 95.1)
    asked.take({"type": "done", "status": "ANSWERED", "text": "another"}, 95.2)
    assert "what was streamed is not what it ended with" in found(seen(sick=(asked,)))
