"""Whether the log holds two different answers to one question."""

from headrace.messaging import topics
from headrace.v1.responses_pb2 import ResponseCompleted
from tests.chaos.path.reading import records, value_of


def contradictions(bootstrap: str) -> list[str]:
    """A sentence for each turn that was answered twice, and differently: a client that takes the first final of a turn
    must have had the only one."""
    texts: dict[str, set[str]] = {}
    for record in records(bootstrap, topics.RESPONSES):
        final = ResponseCompleted.FromString(value_of(record))
        if final.status == ResponseCompleted.ANSWERED:
            texts.setdefault(final.turn_id, set()).add(final.text)
    return [f"turn {turn_id} has {len(answers)} answers" for turn_id, answers in texts.items() if len(answers) > 1]
