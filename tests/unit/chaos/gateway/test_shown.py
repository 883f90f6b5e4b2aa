"""The checker of what a client is shown finds every way in which text can go wrong."""

from typing import Any

import pytest

from tests.chaos.gateway.shown import Shown, said_at

TURN = "7d0c5c5e-27a9-4a3c-9d3c-6a0fdc5c6d11"


def piece(seq: int, attempt: int = 1, more: str = "") -> str:
    return f"[{TURN} {attempt} {seq} 12.500000{more}]"


def delta(seq: int, attempt: int = 1) -> dict[str, Any]:
    return {"type": "delta", "id": TURN, "seq": seq, "attempt": attempt, "text": piece(seq, attempt)}


def done(pieces: int = 3, attempt: int = 1) -> dict[str, Any]:
    text = "".join(piece(seq, attempt) for seq in range(pieces))
    return {"type": "done", "id": TURN, "status": "ANSWERED", "text": text}


RESTARTED = {"type": "restarted", "id": TURN, "attempt": 2}
ACCEPTED = {"type": "accepted", "id": TURN}


def wrong(*frames: dict[str, Any]) -> list[str]:
    shown = Shown(TURN, 3)
    for frame in frames:
        shown.take(frame)
    return shown.wrong


def test_an_answer_in_order_is_right() -> None:
    assert not wrong(ACCEPTED, delta(0), delta(1), delta(2), done())


def test_a_new_attempt_voids_what_was_shown() -> None:
    assert not wrong(delta(0), delta(1), RESTARTED, delta(0, 2), delta(1, 2), delta(2, 2), done(attempt=2))


@pytest.mark.parametrize(
    "frames",
    [
        (delta(0), delta(2), done()),
        (delta(0), delta(1), delta(1), delta(2), done()),
        (delta(0), delta(2), delta(1), done()),
        (delta(0), delta(1), done()),
        (delta(0), delta(1), done(pieces=2)),
        (delta(0), delta(1, 2), delta(2, 2), done(attempt=2)),
        (delta(0), delta(1), delta(2), RESTARTED, done(attempt=2)),
        (delta(0), delta(1), delta(2), done(), delta(2)),
        (delta(0), delta(1), delta(2), done(), done()),
        (delta(0), delta(1), delta(2), {**done(), "id": "another"}),
        (delta(0), {**delta(1), "text": piece(1, 2)}, delta(2), done()),
        ({"type": "error", "id": TURN, "code": "no_answer", "message": ""},),
        (delta(0), delta(1), delta(2), {**done(), "status": "CANCELLED"}),
        ({"type": "shout", "id": TURN},),
    ],
)
def test_what_is_missing_repeated_mixed_or_out_of_order_is_found(frames: tuple[dict[str, Any], ...]) -> None:
    assert wrong(*frames)


def test_a_cut_client_says_what_it_has() -> None:
    shown = Shown(TURN, 3)
    assert shown.resume() == {"type": "resume", "id": TURN, "after_seq": -1}
    shown.take(delta(0))
    shown.take(delta(1))
    assert shown.resume() == {"type": "resume", "id": TURN, "after_seq": 1, "attempt": 1}


@pytest.mark.parametrize("text", [piece(0), piece(0, more=" ...."), piece(0) + piece(1)])
def test_a_piece_tells_when_it_was_said(text: str) -> None:
    assert said_at(text) == 12.5
