"""What a reader is told beside the answer."""

from headrace.v1.responses_pb2 import Notice, ResponseCompleted, Verdict
from services.gateway.adapters.wire import answer_of


def test_notices_of_the_response_follow_those_of_its_verdicts() -> None:
    completed = ResponseCompleted(
        status=ResponseCompleted.ANSWERED,
        verdicts=[Verdict(rule="pii", action="mask", reason="An address was hidden.")],
        notices=[Notice(code="sources_unavailable", text="Made without sources.")],
    )
    assert [(notice.code, notice.text) for notice in answer_of(completed).notices] == [
        ("mask.pii", "An address was hidden."),
        ("sources_unavailable", "Made without sources."),
    ]
