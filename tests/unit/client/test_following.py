"""Where a client stands in a turn, and what it says next."""

from typing import Any

import pytest

from headrace.client.answers import Answer, Citation, Event, Notice, Restarted, Text
from headrace.client.following import Following, NotYet
from headrace.messaging.errors import Invalid, Retryable

ASK = {"type": "ask", "id": "t", "text": "Hi"}
CITED = {
    "type": "citations", "id": "t",
    "items": [{"marker": "[1]", "document_id": "d", "title": "T", "uri": "u", "text": "p", "score": 0.5, "start": 0}],
}  # fmt: skip
DONE = {"type": "done", "id": "t", "status": "ANSWERED", "text": "Hello."}


def delta(seq: int, text: str, attempt: int = 1) -> dict[str, Any]:
    return {"type": "delta", "id": "t", "seq": seq, "text": text, "attempt": attempt}


def take(turn: Following, *frames: dict[str, Any]) -> list[Event]:
    return [event for frame in frames for event in turn.take(frame)]


def test_until_it_is_accepted_the_question_is_said_again() -> None:
    turn = Following(ASK)
    assert turn.opening() == ASK
    take(turn, {"type": "accepted", "id": "t"})
    assert turn.opening() == {"type": "resume", "id": "t", "after_seq": -1}


def test_what_was_shown_is_not_asked_for_again_and_not_shown_again() -> None:
    turn = Following(ASK)
    assert take(turn, delta(0, "Hel"), delta(1, "lo")) == [Text("Hel"), Text("lo")]
    assert turn.opening() == {"type": "resume", "id": "t", "after_seq": 1, "attempt": 1}
    assert take(turn, delta(1, "lo"), delta(2, ".")) == [Text(".")]


def test_a_new_attempt_begins_anew() -> None:
    turn = Following(ASK)
    take(turn, delta(0, "Hel"), delta(1, "lo"))
    assert take(turn, {"type": "restarted", "id": "t", "attempt": 2}, delta(0, "Hey", 2)) == [Restarted(2), Text("Hey")]
    assert turn.opening() == {"type": "resume", "id": "t", "after_seq": 0, "attempt": 2}


def test_an_end_that_is_told_anew_is_not_doubled() -> None:
    turn = Following(ASK)
    notice = {"type": "notice", "id": "t", "code": "c", "text": "n"}
    take(turn, delta(0, "Hello."), CITED, notice)
    turn.opening()
    *_, answer = take(turn, CITED, notice, DONE)
    assert isinstance(answer, Answer)
    assert answer.citations == (Citation("[1]", "d", "T", "u", "p", 0.5),)
    assert answer.notices == (Notice("c", "n"),)


def test_an_error_before_it_is_accepted_is_the_askers_to_hear() -> None:
    busy = {"type": "error", "id": "t", "code": "too_busy", "message": "later", "retry_after": 3}
    with pytest.raises(Retryable, match="later") as caught:
        take(Following(ASK), busy)
    assert caught.value.retry_after_ms == 3000
    with pytest.raises(Invalid) as wrong:
        take(Following(ASK), {**busy, "retry_after": None, "field": "text", "code": "too_long"})
    assert (wrong.value.field, wrong.value.code) == ("text", "too_long")


def test_a_gateway_that_cannot_go_on_with_an_accepted_turn_is_asked_again() -> None:
    turn = Following(ASK)
    take(turn, {"type": "accepted", "id": "t"})
    starting = {"type": "error", "id": "t", "code": "unavailable", "message": "starting", "retry_after": 1}
    with pytest.raises(NotYet):
        take(turn, starting)
    with pytest.raises(Retryable):
        take(turn, {**starting, "final": True})


def test_frames_of_other_turns_and_of_later_gateways_are_passed_over() -> None:
    assert take(Following(ASK), {"type": "delta", "id": "u", "seq": 0, "text": "x"}, {"type": "news", "id": "t"}) == []
