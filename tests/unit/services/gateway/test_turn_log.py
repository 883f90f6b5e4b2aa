from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.domain.answers import Answer, Piece, Status
from services.gateway.domain.turn_log import MAX_AHEAD, Cursor, Ended, Event, Restarted, Shown, Taken, TurnLog


def piece(seq: int, text: str, attempt: int = 1, verdict_id: str = "v") -> Piece:
    return Piece(attempt, seq, text, verdict_id)


def final(text: str, count: int, attempt: int = 1, status: Status = Status.ANSWERED) -> Answer:
    return Answer(attempt, status, text, count)


def screen(events: list[Event], text: str = "") -> str:
    """What a client shows that does as it is told."""
    for event in events:
        match event:
            case Shown(text=more):
                text += more
            case Restarted():
                text = ""
            case Ended():
                return text
    return text


def log_of(*contents: Piece | Answer) -> TurnLog:
    log = TurnLog()
    for content in contents:
        log.add(content) if isinstance(content, Piece) else log.complete(content)
    return log


def test_deltas_are_shown_in_order_and_once() -> None:
    log = log_of(piece(1, "b"), piece(0, "a"), piece(0, "a"), piece(2, "c"))
    events, cursor = log.read(Cursor())
    assert events == [Shown(1, 0, "a"), Shown(1, 1, "b"), Shown(1, 2, "c")]
    assert log.read(cursor)[0] == []


def test_a_delta_without_a_verdict_is_refused() -> None:
    log = TurnLog()
    assert log.add(piece(0, "leak", verdict_id="")) is Taken.UNJUDGED
    assert log.text == ""


def test_the_end_waits_for_deltas_that_are_still_on_their_way() -> None:
    log = log_of(piece(0, "a"), final("ab", 2))
    events, cursor = log.read(Cursor())
    assert events == [Shown(1, 0, "a")]
    assert log.awaits_deltas
    log.add(piece(1, "b"))
    assert log.read(cursor)[0] == [Shown(1, 1, "b"), Ended(final("ab", 2))]


def test_a_missing_delta_is_made_up_from_the_final_when_waiting_is_over() -> None:
    log = log_of(piece(0, "a"), piece(2, "c"), final("abcd", 4))
    log.cut_short()
    events, _ = log.read(Cursor())
    assert events == [Shown(1, 0, "a"), Shown(1, 3, "bcd"), Ended(final("abcd", 4))]
    assert log.add(piece(1, "b")) is Taken.LATE


def test_a_higher_attempt_voids_what_was_shown() -> None:
    log = log_of(piece(0, "old"))
    _, cursor = log.read(Cursor())
    log.add(piece(0, "new", attempt=2))
    assert log.add(piece(1, "late", attempt=1)) is Taken.SUPERSEDED
    assert log.read(cursor)[0] == [Restarted(2), Shown(2, 0, "new")]


def test_a_client_that_has_seen_nothing_hears_of_no_restart() -> None:
    log = log_of(piece(0, "old"), piece(0, "new", attempt=2))
    assert log.read(Cursor())[0] == [Shown(2, 0, "new")]


def test_a_client_resumes_after_what_it_has() -> None:
    log = log_of(piece(0, "a"), piece(1, "b"), piece(2, "c"))
    assert log.read(Cursor(after_seq=0, attempt=1))[0] == [Shown(1, 1, "b"), Shown(1, 2, "c")]
    assert log.read(Cursor(after_seq=0))[0] == [Shown(1, 1, "b"), Shown(1, 2, "c")]


def test_a_client_with_text_of_an_older_attempt_starts_over() -> None:
    log = log_of(piece(0, "old"), piece(0, "new", attempt=2))
    assert log.read(Cursor(after_seq=0, attempt=1))[0] == [Restarted(2), Shown(2, 0, "new")]
    assert log.read(Cursor(after_seq=0))[0] == [Restarted(2), Shown(2, 0, "new")]


def test_a_client_ahead_of_a_log_that_is_read_again_waits_for_it() -> None:
    log = log_of(piece(0, "old"))
    cursor = Cursor(after_seq=0, attempt=2)
    assert log.read(cursor) == ([], cursor)
    log.add(piece(0, "n", attempt=2))
    log.add(piece(1, "ew", attempt=2))
    assert log.read(cursor)[0] == [Shown(2, 1, "ew")]


def test_a_client_that_got_the_rest_elsewhere_is_not_sent_it_again() -> None:
    full = log_of(piece(0, "a"), piece(1, "b"), piece(2, "c"), final("abc", 3))
    assert full.read(Cursor(after_seq=2, attempt=1))[0] == [Ended(final("abc", 3))]
    short = log_of(piece(0, "a"), final("abc", 3))
    short.cut_short()
    assert short.read(Cursor(after_seq=2, attempt=1))[0] == [Ended(final("abc", 3))]


def test_a_client_with_part_of_the_rest_starts_over() -> None:
    log = log_of(piece(0, "a"), final("abc", 3))
    log.cut_short()
    events, _ = log.read(Cursor(after_seq=1, attempt=1))
    assert events[0] == Restarted(1)
    assert screen(events, "ab") == "abc"


def test_a_final_that_says_something_else_wins() -> None:
    log = log_of(piece(0, "shown"))
    _, cursor = log.read(Cursor())
    log.complete(final("other", 1))
    events, _ = log.read(cursor)
    assert screen(events, "shown") == "other"
    assert screen(log.read(Cursor(after_seq=0, attempt=1))[0], "shown") == "other"


def test_a_final_of_an_attempt_that_was_superseded_does_not_wait() -> None:
    log = log_of(piece(0, "ab", attempt=1), piece(0, "a", attempt=2), final("ab", 1, attempt=1))
    assert log.closed
    assert screen(log.read(Cursor())[0]) == "ab"


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.FAILED, Status.EXPIRED])
def test_an_end_without_text_leaves_what_was_shown(status: Status) -> None:
    log = log_of(piece(0, "half"), final("", 0, attempt=0, status=status))
    events, _ = log.read(Cursor(after_seq=0, attempt=1))
    assert events == [Ended(final("", 0, attempt=0, status=status))]


def test_a_refusal_that_came_without_deltas_is_shown_as_one() -> None:
    refusal = final("I cannot help with that.", 0, attempt=0, status=Status.REFUSED)
    assert log_of(refusal).read(Cursor())[0] == [Shown(0, 0, refusal.text), Ended(refusal)]


def test_a_repeated_final_changes_nothing() -> None:
    log = log_of(piece(0, "a"), final("a", 1))
    assert log.complete(replace(final("a", 1), text="b")) is Taken.REPEATED
    assert screen(log.read(Cursor())[0]) == "a"


def test_a_delta_far_ahead_is_not_kept() -> None:
    assert TurnLog().add(piece(MAX_AHEAD + 1, "x")) is Taken.LATE


@settings(deadline=None, max_examples=50)
@given(st.data(), st.lists(st.text(min_size=1, max_size=4), max_size=6), st.integers(0, 3))
def test_any_order_and_repetition_gives_the_same_text(data: st.DataObject, texts: list[str], stale: int) -> None:
    """INVARIANT: what every client ends up with equals the final, however the log delivered it."""
    old = [piece(seq, "old", attempt=1) for seq in range(stale)]
    new = [piece(seq, text, attempt=2) for seq, text in enumerate(texts)]
    answer = final("".join(texts), len(texts), attempt=2)
    all_of_it: list[Piece | Answer] = [*old, *new, answer]
    arrivals = data.draw(st.permutations([*all_of_it, *data.draw(st.lists(st.sampled_from(all_of_it)))]))
    log = TurnLog()
    eager, cursor = "", Cursor()
    for number, content in enumerate(arrivals):
        log.add(content) if isinstance(content, Piece) else log.complete(content)
        if data.draw(st.booleans()):
            events, cursor = log.read(cursor)
            eager = screen(events, eager)
        if number == len(arrivals) - 1:
            log.cut_short()
    events, cursor = log.read(cursor)
    assert screen(events, eager) == answer.text
    assert cursor.ended
    assert screen(log.read(Cursor())[0]) == answer.text


@settings(deadline=None, max_examples=50)
@given(st.data(), st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_cut_anywhere_and_a_resume_elsewhere_gives_the_same_text(data: st.DataObject, texts: list[str]) -> None:
    """INVARIANT: a client that comes back to any gateway misses nothing and sees nothing twice."""
    pieces = [piece(seq, text) for seq, text in enumerate(texts)]
    answer = final("".join(texts), len(texts))
    first, second = TurnLog(), TurnLog()
    for content in pieces[: data.draw(st.integers(0, len(pieces)))]:
        first.add(content)
    if data.draw(st.booleans()):
        first.complete(answer)
        first.cut_short()
    shown = [event for event in first.read(Cursor())[0] if isinstance(event, Shown)]
    shown = shown[: data.draw(st.integers(0, len(shown)))]
    text = screen(list(shown))
    resumed = Cursor(after_seq=shown[-1].seq if shown else -1, attempt=1 if shown else None)
    lost = data.draw(st.sets(st.sampled_from(pieces)))
    for content in pieces:
        if content not in lost:
            second.add(content)
            events, resumed = second.read(resumed)
            text = screen(events, text)
    second.complete(answer)
    second.cut_short()
    events, _ = second.read(resumed)
    assert screen(events, text) == answer.text
