"""What people type, and what they read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from headrace.cli.dlq.moments import moment_ms, per_second
from headrace.cli.dlq.tables import as_json, counted, letters_lines
from headrace.cli.dlq.text import harmless, one_line, short_topic
from headrace.messaging.errors import Invalid, Retryable
from headrace.messaging.letters import Letter, described
from headrace.messaging.records import Received
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition
from tests.fakes.letters import a_record, a_turn, dead

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2026, 11, 22, 8, 0, tzinfo=UTC)),
        ("30m ago", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("1.5 hours ago", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ("2 days ago", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("now", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        ("today", datetime(2026, 11, 21, 22, 0, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 20, 22, 0, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 22, 0, tzinfo=UTC)),
        ("2026-11-22T09:15", datetime(2026, 11, 22, 7, 15, tzinfo=UTC)),
        ("2026-11-22T09:15Z", datetime(2026, 11, 22, 9, 15, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert moment_ms(text, NOW) == int(moment.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "soon", "2 fortnights", "2026-13-01", "-2h", "99999999999w"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Invalid):
        moment_ms(text, NOW)


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5), ("5", 5), ("90/m", 1.5), ("3600 / hour", 1)])
def test_rates(text: str, rate: float) -> None:
    assert per_second(text) == rate


@pytest.mark.parametrize("text", ["", "0/s", "fast", "5/fortnight"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(Invalid):
        per_second(text)


def test_an_error_cannot_command_the_terminal() -> None:
    assert harmless("a\x1b[2Jb\x9b\u202e\n") == "a\\x1b[2Jb\\x9b\\u202e\n"
    assert one_line("much\nmore\tthan fits", 10) == "much more…"


def test_a_topic_is_told_by_what_is_its_own() -> None:
    assert short_topic("headrace.turns.safety.batch.v1") == "turns.safety.batch"
    assert short_topic("others.v1") == "others.v1"


def letters() -> list[Letter]:
    content = [
        dead(a_record(a_turn(name)), stage=stage, error=error).message
        for name, stage, error in (
            ("a", "inference", Retryable("the engine did not answer")),
            ("b", "gate", Invalid("[bold]a very long message[/] " * 9)),
        )
    ]
    return [
        described(Received("dlq", 0, offset, 0, None, b""), each)
        for offset, each in enumerate(content)
        if isinstance(each, DeadLetter)
    ]


@pytest.mark.parametrize("width", [80, 120, 200, 400])
def test_columns_line_up_at_any_width(width: int) -> None:
    head, first, second = (line.plain for line in letters_lines(letters(), {}, width=width))
    assert max(map(len, (head, first, second))) <= width
    for name, of_first, of_second in (
        ("id", letters()[0].id, letters()[1].id),
        ("stage", "inference", "gate"),
        ("error", "Retryable the", "Invalid [bold]a"),
    ):
        assert first[head.index(name) :].startswith(of_first)
        assert second[head.index(name) :].startswith(of_second)
    assert first[head.index("state") :].split()[0] == second[head.index("state") :].split()[0] == "open"


def test_counts_are_by_stage_and_error() -> None:
    first, second = letters()
    done = {first.id: DeadLetterDisposition(action=DeadLetterDisposition.REDRIVEN)}
    rows = {(row["stage"], row["error"]): row for row in counted([first, first, second], done)}
    assert rows["inference", "Retryable"]["redriven"] == 2
    assert rows["gate", "Invalid"]["open"] == 1


def test_a_letter_for_a_script_says_what_was_done_with_it() -> None:
    first, _ = letters()
    done = DeadLetterDisposition(action=DeadLetterDisposition.PURGED, operator="me@here")
    assert as_json(first, None)["state"] == "open"
    told = as_json(first, done)
    assert (told["state"], told["disposition"]["operator"]) == ("purged", "me@here")
    assert "secret" not in str(told)
