"""The judge can find fault: each way in which mutants might be mishandled is a sentence that names the mutant."""

from dataclasses import replace

import pytest

from headrace.messaging import headers, topics
from headrace.messaging.dead_letters import bury
from headrace.messaging.errors import Invalid, Undecodable
from headrace.messaging.records import Received, lenient
from headrace.v1.responses_pb2 import ResponseCompleted
from tests.chaos.mutants import judging
from tests.chaos.mutants.ends import Ends
from tests.chaos.mutants.judging import Kept
from tests.chaos.mutants.mutant import Mutant, mutant
from tests.chaos.mutants.parseable import Parses, Unparseable, judged

_NOW_MS = 1_800_000_000_000
_SEED = 7


def _one(topic: str, kind: type) -> Mutant:
    made = (mutant(_SEED, number, _NOW_MS, topic) for number in range(10_000))
    return next(each for each in made if isinstance(judged(each), kind) and each.value)


def _buried(made: Mutant, error: Exception, ends: Ends) -> None:
    record = Received(made.topic, 0, 0, _NOW_MS, made.key, made.value, made.headers, lenient(made.headers))
    letter = bury(record, stage="prompts", error=error, attempts=1, trace_id="", now_ms=_NOW_MS)
    assert letter.message is not None
    ends.take(topics.DEAD_LETTERS, letter.message.SerializeToString(), {})


def _wrong(made: Mutant, *errors: Exception) -> list[str]:
    ends = Ends()
    for error in errors:
        _buried(made, error, ends)
    return judging.mutants([made], ends, _SEED).wrong


def test_bytes_that_cannot_be_parsed_must_be_one_dead_letter_of_their_class() -> None:
    made = _one(topics.FEEDBACK, Unparseable)
    assert _wrong(made, Undecodable("no")) == []
    for errors in ((), (Undecodable("no"), Undecodable("no")), (ValueError("no"),), (Invalid("no"),)):
        (sentence,) = _wrong(made, *errors)
        assert f"--seed {_SEED} --number {made.number}" in sentence


def test_what_parses_may_be_refused_with_a_reason_but_not_by_accident() -> None:
    made = _one(topics.FEEDBACK, Parses)
    assert _wrong(made) == []
    assert _wrong(made, Invalid("the rating is 99")) == []
    assert _wrong(made, ValueError("Timestamp is not valid"))
    assert _wrong(made, Undecodable("no"))


def test_a_prompt_that_parses_must_be_answered_and_never_buried() -> None:
    made = _one(topics.PROMPTS, Parses)
    made = replace(made, value=made.sample.value, headers=made.sample.headers)
    assert _wrong(made)
    assert _wrong(made, Invalid("no"))
    ends = Ends()
    ends.take(topics.RESPONSES, ResponseCompleted(turn_id=made.sample.id).SerializeToString(), {})
    assert judging.mutants([made], ends, _SEED).wrong == []


def test_what_an_earlier_stage_wrote_may_be_refused_and_nothing_else() -> None:
    made = _one(topics.FEEDBACK, Parses)
    stranger = replace(made, headers=((headers.TENANT, b"t"),))
    for error, found in ((Invalid("no such model"), 0), (KeyError("sectoin"), 1)):
        ends = Ends()
        _buried(stranger, error, ends)
        assert len(judging.mutants([made], ends, _SEED).wrong) == found


@pytest.mark.parametrize("statuses", [(), ("FAILED",), ("ANSWERED", "ANSWERED")])
def test_a_valid_prompt_must_be_answered_once_and_well(statuses: tuple[str, ...]) -> None:
    made = _one(topics.PROMPTS, Parses).sample
    ends = Ends()
    for status in statuses:
        final = ResponseCompleted(turn_id=made.id, status=status)
        ends.take(topics.RESPONSES, final.SerializeToString(), {})
    assert judging.valid_ones([made], ends, Kept())
