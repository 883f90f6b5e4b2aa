from services.safety.adapters.policies import detectors_for
from services.safety.domain.findings import Detectors, Finding
from services.safety.domain.gate import Cleared, Generated, Stream, step
from services.safety.domain.output_judgement import judge_whole
from services.safety.domain.policy import Policy
from services.safety.ports import Looks

POLICY = Policy.model_validate(
    {
        "name": "p",
        "version": "1",
        "rules": [
            {"name": "people", "kind": "pii", "direction": "output", "action": "refuse", "entities": ["EMAIL"]},
            {"name": "names", "kind": "terms", "direction": "output", "action": "warn", "terms": ["blue heron"]},
        ],
    }
)
DETECTORS = detectors_for(POLICY, Looks())


def play(*pieces: Generated, stream: Stream | None = None) -> tuple[Stream | None, list[Cleared]]:
    out: list[Cleared] = []
    for piece in pieces:
        taken = step(stream, piece, POLICY, DETECTORS)
        stream = taken.stream
        out += taken.cleared
    return stream, out


def test_a_sentence_is_released_as_soon_as_the_next_begins() -> None:
    stream, out = play(Generated(1, 0, "The tide rises. ", last=False))
    assert out == []
    stream, out = play(Generated(1, 16, "T", last=False), stream=stream)
    assert out == [Cleared(0, "The tide rises. ")]
    stream, out = play(Generated(1, 17, "hen it falls.", last=True), stream=stream)
    assert (stream, out) == (None, [Cleared(1, "Then it falls.", last=True)])


def test_an_empty_answer_ends_with_one_empty_delta() -> None:
    assert play(Generated(1, 0, "", last=True)) == (None, [Cleared(0, "", last=True)])


def test_a_leak_stops_the_stream_before_it_and_silences_the_rest() -> None:
    stream, out = play(
        Generated(1, 0, "Sure. Write to jane", last=False),
        Generated(1, 19, "@acme.test. And", last=False),
        Generated(1, 34, " more. And more. ", last=False),
    )
    assert out == [Cleared(0, "Sure. "), Cleared(1, "", last=True, stopped=True)]
    assert stream
    assert play(Generated(1, 51, "End.", last=True), stream=stream) == (None, [])


def test_the_tail_of_a_stream_that_has_ended_is_ignored() -> None:
    assert play(Generated(1, 40, "late", last=False), Generated(1, 44, ".", last=True)) == (None, [])


def test_text_that_was_taken_already_is_taken_once() -> None:
    _, out = play(
        Generated(1, 0, "One. Two. ", last=False),
        Generated(1, 5, "Two. Three. ", last=False),
        Generated(1, 0, "One. Two. Three. ", last=True),
    )
    assert [cleared.text for cleared in out] == ["One. ", "Two. ", "Three. "]
    assert [cleared.seq for cleared in out] == [0, 1, 2]


def test_a_gap_stops_the_stream() -> None:
    """INVARIANT: what was not read was not judged."""
    stream, out = play(Generated(1, 0, "One. T", last=False), Generated(1, 20, "x", last=False))
    assert out == [Cleared(0, "One. "), Cleared(1, "", last=True, stopped=True)]
    assert stream


def test_a_higher_attempt_supersedes_a_lower_one() -> None:
    _, out = play(
        Generated(1, 0, "Old. Text", last=False),
        Generated(2, 0, "New. ", last=False),
        Generated(1, 9, " goes on. And on.", last=True),
        Generated(2, 5, "Text.", last=True),
    )
    assert [(cleared.seq, cleared.text) for cleared in out] == [(0, "Old. "), (0, "New. "), (1, "Text.")]


def test_after_a_stop_a_higher_attempt_is_judged_anew() -> None:
    _, out = play(Generated(1, 0, "a@acme.test is it. Yes.", last=False), Generated(2, 0, "Fine.", last=True))
    assert out == [Cleared(0, "", last=True, stopped=True), Cleared(0, "Fine.", last=True)]


def test_a_judgement_that_fails_stops_the_answer() -> None:
    """INVARIANT: fail closed."""

    def broken(_text: str) -> list[Finding]:
        raise ValueError("a recogniser that does not work")

    whole = judge_whole("One. Two.", POLICY, Detectors({"EMAIL": broken}))
    assert whole.text == ""
    assert whole.stop
    assert whole.stop.rule == "unjudged"


def test_a_warning_is_noted_once_and_passes() -> None:
    whole = judge_whole("We saw a blue\nheron today. It flew. Away.", POLICY, DETECTORS)
    assert whole.text.endswith("Away.")
    assert [(verdict.rule, verdict.start, verdict.end) for verdict in whole.verdicts] == [("names", 9, 19)]


def test_abbreviations_and_list_numbers_end_no_sentence() -> None:
    whole = judge_whole("Ask Dr. Lee, e.g. today.\n1. First, J. Doe.\n2. Then rest.", POLICY, DETECTORS)
    assert whole.segments == ("Ask Dr. Lee, e.g. today.\n", "1. First, J. Doe.\n", "2. Then rest.")


def test_a_rule_that_stops_an_answer_says_once_that_its_generation_is_futile() -> None:
    stream: Stream | None = None
    futile = []
    for piece in (
        Generated(1, 0, "Sure. Write to jane@acme.test. And", last=False),
        Generated(1, 34, " more. And more. ", last=False),
        Generated(1, 51, "End.", last=True),
    ):
        taken = step(stream, piece, POLICY, DETECTORS)
        stream = taken.stream
        futile.append(taken.futile)
    assert futile == [True, False, False]


def test_text_that_was_not_judged_may_yet_be_and_is_generated_to_its_end() -> None:
    """INVARIANT: only what the whole answer's judgement will repeat ends its generation."""
    first = step(None, Generated(1, 0, "One. T", last=False), POLICY, DETECTORS)
    assert not step(first.stream, Generated(1, 20, "x", last=False), POLICY, DETECTORS).futile

    def broken(_text: str) -> list[Finding]:
        raise ValueError("a recogniser that does not work")

    assert not step(None, Generated(1, 0, "One. Two.", last=False), POLICY, Detectors({"EMAIL": broken})).futile


def test_an_answer_that_has_ended_by_itself_needs_no_stop() -> None:
    assert not step(None, Generated(1, 0, "a@acme.test is it. Yes.", last=True), POLICY, DETECTORS).futile


def test_a_stopped_answer_that_todays_rules_let_pass_is_not_shown_as_one() -> None:
    whole = judge_whole("Half of an ans", POLICY, DETECTORS, stopped=True)
    assert (whole.text, whole.stop is not None) == ("", True)
