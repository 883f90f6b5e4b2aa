"""From cleared deltas to shown ones."""

import pytest

from headrace.messaging import topics
from headrace.messaging.contract import JSON, Folded
from headrace.messaging.errors import Invalid, Retryable
from headrace.v1.responses_pb2 import ResponseDelta
from headrace.v1.turns_pb2 import ClearedDelta, Reply, StreamContext
from services.postprocessing.domain.stream import Begins, Continues, Ignored, Missing, Place, Position, place
from services.postprocessing.handlers import Deltas, Finishing, Stream
from tests.fakes.contexts import a_context
from tests.fakes.polishing import Shouting
from tests.fakes.stores import InMemoryMaskStore


def cleared(seq: int, text: str, *, attempt: int = 1, last: bool = False, masked: bool = False) -> ClearedDelta:
    context = StreamContext(
        turn_id="turn", conversation_id="conversation", tenant="acme", attempt=attempt, masked=masked, markers=["[1]"]
    )
    context.reply.CopyFrom(Reply(partition=3, encoding=JSON))
    return ClearedDelta(context=context, seq=seq, text=text, verdict_id=f"v{seq}", last=last)


async def play(deltas: list[ClearedDelta], masks: InMemoryMaskStore | None = None) -> list[Folded[Stream]]:
    step = Deltas(masks or InMemoryMaskStore(), Finishing(Shouting())).step
    stream, folds = None, []
    for delta in deltas:
        folded = await step(stream, delta, a_context())
        stream = folded.state
        folds.append(folded)
    return folds


def shown(folds: list[Folded[Stream]]) -> list[ResponseDelta]:
    messages = [outgoing.message for folded in folds for outgoing in folded.out]
    assert all(isinstance(message, ResponseDelta) for message in messages)
    return messages  # type: ignore[return-value]  # just asserted


async def test_each_cleared_delta_is_shown_once_with_its_number_and_verdict() -> None:
    folds = await play([cleared(0, " Free"), cleared(1, " [7"), cleared(2, "]. Fast [1]."), cleared(3, " ", last=True)])
    assert [(delta.seq, delta.text, delta.verdict_id) for delta in shown(folds)] == [
        (0, "Free", "v0"),
        (1, "", "v1"),
        (2, ". Fast [1].", "v2"),
        (3, "", "v3"),
    ]
    assert [folded.ended for folded in folds] == [False, False, False, True]


async def test_deltas_go_where_the_asker_reads_in_their_encoding() -> None:
    (folded,) = await play([cleared(0, "Hi", last=True)])
    (outgoing,) = folded.out
    assert (outgoing.topic, outgoing.key) == (topics.RESPONSE_DELTAS, "conversation")
    assert (outgoing.partition, outgoing.encoding, outgoing.tenant) == (3, JSON, "acme")


async def test_masks_are_put_back_across_a_cut() -> None:
    masks = InMemoryMaskStore()
    await masks.put("acme", "turn", {"<EMAIL_1>": "zoe@example.org"}, 60)
    folds = await play([cleared(0, "To <EMA", masked=True), cleared(1, "IL_1>.", masked=True, last=True)], masks)
    assert "".join(delta.text for delta in shown(folds)) == "To zoe@example.org."


async def test_a_masked_stream_waits_for_its_masks() -> None:
    with pytest.raises(Retryable):
        await play([cleared(0, "To <EMA", masked=True)], InMemoryMaskStore(down=True))


async def test_a_later_attempt_supersedes_and_says_so_once() -> None:
    folds = await play(
        [
            cleared(0, "Half"),
            cleared(1, " of"),
            cleared(0, "New", attempt=2),
            cleared(2, " it", attempt=1),
            cleared(1, "er.", attempt=2, last=True),
        ]
    )
    assert [(delta.attempt, delta.seq, delta.text, delta.restarted) for delta in shown(folds)] == [
        (1, 0, "Half", False),
        (1, 1, " of", False),
        (2, 0, "New", True),
        (2, 1, "er.", False),
    ]


async def test_a_delta_read_again_shows_nothing() -> None:
    folds = await play([cleared(0, "A"), cleared(0, "A"), cleared(1, "B", last=True)])
    assert [delta.text for delta in shown(folds)] == ["A", "B"]


async def test_the_tail_of_an_ended_stream_is_forgotten() -> None:
    (folded,) = await play([cleared(4, "tail")])
    assert folded == Folded(None, ended=True)


async def test_a_gap_is_an_error_that_names_what_was_due() -> None:
    with pytest.raises(Invalid, match="3 came where 1 was due"):
        await play([cleared(0, "A"), cleared(3, "D")])


@pytest.mark.parametrize(
    ("position", "attempt", "seq", "expected"),
    [
        (None, 1, 0, Begins(restarted=False)),
        (None, 2, 0, Begins(restarted=False)),
        (None, 1, 5, Ignored()),
        (Position(1, 3), 1, 3, Continues()),
        (Position(1, 3), 1, 2, Ignored()),
        (Position(1, 3), 1, 4, Missing(3)),
        (Position(1, 3), 2, 0, Begins(restarted=True)),
        (Position(1, 3), 2, 1, Missing(0)),
        (Position(2, 3), 1, 9, Ignored()),
    ],
)
def test_a_delta_has_its_place(position: Position | None, attempt: int, seq: int, expected: Place) -> None:
    assert place(position, attempt, seq, again=False) == expected


def test_an_attempt_that_says_that_it_is_not_the_first_may_supersede_what_was_seen() -> None:
    assert place(None, 1700, 0, again=True) == Begins(restarted=True)


async def test_what_is_put_right_is_shown_once_it_is_whole() -> None:
    deltas = [cleared(0, "It is"), cleared(1, " free"), cleared(2, ".", last=True)]
    for delta in deltas:
        delta.context.polish = "grammar"
    assert [delta.text for delta in shown(await play(deltas))] == ["", "", "IT IS FREE. (grammar)"]


@pytest.mark.parametrize(("stopped", "end"), [(False, "\n```"), (True, "")])
async def test_a_stream_that_was_cut_is_closed_with_its_last_delta(*, stopped: bool, end: str) -> None:
    last = cleared(1, "ke run", last=True)
    last.finish_reason, last.stopped = "length", stopped
    folds = await play([cleared(0, "```sh\nma"), last])
    assert "".join(delta.text for delta in shown(folds)) == "```sh\nmake run" + end
