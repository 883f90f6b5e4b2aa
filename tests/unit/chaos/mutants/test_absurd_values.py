"""What mutants found: values that parse and that nobody means must not raise where nobody expects it."""

import pytest

from headrace.messaging.errors import Invalid
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.turns_pb2 import Final, Outcome, Turn
from services.feedback.adapters.wire import completed_of
from services.gateway.adapters.wire import answer_of
from services.gateway.domain.answers import Status
from services.inference.handlers.translation import sampling_of
from services.postprocessing.adapters.wire import verdict_of

_UNKNOWN = 99


def _turn() -> Turn:
    turn = Turn(turn_id="t", final=Final(completed=ResponseCompleted(turn_id="t")), outcome=Outcome())
    # Enums are open: a later version's numbers are kept as they came.
    turn.outcome.MergeFromString(b"\x08\x63")
    turn.final.completed.MergeFromString(b"\x20\x63")
    assert turn.outcome.status == turn.final.completed.status == _UNKNOWN
    return turn


def test_a_status_that_nobody_defined_is_a_failure() -> None:
    turn = _turn()
    assert answer_of(turn.final.completed).status is Status.FAILED
    assert verdict_of(turn).status == "FAILED"
    assert completed_of(turn, 0).status == "failed"


@pytest.mark.parametrize(("name", "value"), [("temperature", float("nan")), ("temperature", -1.0), ("top_p", 1e308)])
def test_sampling_that_no_engine_can_do_is_refused_before_it_reaches_one(name: str, value: float) -> None:
    turn = Turn()
    setattr(turn.prepared.sampling, name, value)
    spec = load_registry(infra_dir() / "models").get("smollm2-135m-instruct")
    with pytest.raises(Invalid, match=name):
        sampling_of(turn, spec)
