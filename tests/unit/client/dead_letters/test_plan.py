"""What a redriven letter becomes: its bytes, headers, deadline and topic."""

import json
from dataclasses import replace

import pytest

from headrace.client.dead_letters.plan import Planned, Wish, plan
from headrace.client.dead_letters.repair import Repair
from headrace.messaging import headers, topics
from headrace.messaging.codec import encode
from headrace.messaging.contract import JSON
from headrace.messaging.errors import Invalid
from headrace.messaging.records import Received, lenient
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.reviews_pb2 import ReviewSubmitted
from headrace.v1.turns_pb2 import Outcome, Turn
from tests.fakes.letters import INFERENCE, a_record, a_turn, dead

NOW_MS = 1_800_000_000_000
PIPELINES = Pipelines.load(infra_dir() / "pipelines")


def letter(record: Received, stage: str = "inference") -> DeadLetter:
    message = dead(record, stage=stage).message
    assert isinstance(message, DeadLetter)
    return message


def planned(died: DeadLetter, wish: Wish | None = None) -> Planned:
    return plan(died, wish or Wish(), PIPELINES, now_ms=NOW_MS)


def record_of(topic: str, value: bytes | None, key: bytes | None = b"k", **raw: bytes) -> Received:
    held = tuple((name.replace("_", "-"), content) for name, content in raw.items())
    return Received(topic, 3, 42, 7, key, value, held, lenient(held))


def turn_in(done: Planned) -> Turn:
    return Turn.FromString(done.onward.value or b"")


def test_headers_stay_byte_for_byte_but_those_of_earlier_tries() -> None:
    record = a_record(a_turn("a"), retried=True)
    odd = (*record.raw_headers, ("odd", b"\xff\xfe"), ("odd", b"twice"))
    told = planned(letter(replace(record, raw_headers=odd))).onward.headers
    assert [value for name, value in told if name == "odd"] == [b"\xff\xfe", b"twice"]
    assert not {headers.ATTEMPT, headers.NOT_BEFORE, headers.ORIGIN_TIMESTAMP} & {name for name, _ in told}
    assert dict(told)[headers.TRACEPARENT] == dict(odd)[headers.TRACEPARENT]


def test_a_message_that_named_itself_nowhere_keeps_the_identity_of_its_place() -> None:
    """INVARIANT: the turn id that was derived from the identity is the same, and so is its place in the ledger."""
    told = planned(letter(record_of(topics.PROMPTS, PromptSubmitted(text="x").SerializeToString()))).onward.headers
    assert dict(told)[headers.MESSAGE_ID] == f"{topics.PROMPTS}/3/42".encode()


def test_it_goes_to_the_partition_it_came_from() -> None:
    assert planned(letter(record_of(topics.FEEDBACK, b""))).onward.partition == 3


@pytest.mark.parametrize("seconds", [None, 10.0, 900.0])
def test_a_turn_gets_time_from_now_on(seconds: float | None) -> None:
    done = planned(letter(a_record(a_turn("a"))), Wish(deadline_s=seconds))
    due_ms = NOW_MS + int((seconds or 120) * 1000)
    assert turn_in(done).deadline.ToMilliseconds() == due_ms
    assert dict(done.onward.headers)[headers.DEADLINE] == str(due_ms).encode()


def test_a_deadline_that_is_far_off_stays() -> None:
    turn = a_turn("a")
    turn.deadline.FromMilliseconds(NOW_MS + 3_600_000)
    assert turn_in(planned(letter(a_record(turn)))) == turn


def test_a_clients_own_deadline_is_moved_in_the_encoding_it_chose() -> None:
    prompt = PromptSubmitted(text="x")
    prompt.deadline.FromMilliseconds(5)
    value = planned(letter(record_of(topics.PROMPTS, encode(prompt, JSON)), "prompts")).onward.value
    assert json.loads(value or b"")["deadline"] == "2027-01-15T08:02:00Z"


def test_bytes_that_need_no_change_are_not_touched() -> None:
    value = b'{ "text" : "x" }'
    assert planned(letter(record_of(topics.PROMPTS, value))).onward.value == value


def test_a_tombstone_stays_one() -> None:
    assert planned(letter(record_of(topics.KNOWLEDGE, None), "knowledge")).onward.value is None
    assert planned(letter(record_of(topics.KNOWLEDGE, b""), "knowledge")).onward.value == b""
    assert planned(letter(record_of(topics.FEEDBACK, b"x", None), "feedback")).onward.key is None


def test_from_an_earlier_stage_the_slip_begins_there_again() -> None:
    done = planned(letter(a_record(a_turn("a"))), Wish("grounding"))
    assert done.onward.topic == topics.turns("grounding", "interactive")
    assert (done.onward.key, done.onward.partition) == (b"c-a", None)
    expected = ["grounding", "safety", "inference", "output", "postprocessing"]
    assert list(turn_in(done).slip.remaining) == expected


@pytest.mark.parametrize("stage", ["output", "postprocessing"])
def test_a_stage_that_the_turn_never_reached_is_refused(stage: str) -> None:
    with pytest.raises(Invalid, match="never got beyond inference"):
        planned(letter(a_record(a_turn("a"))), Wish(stage))


def test_a_turn_that_was_refused_cannot_go_round_the_one_who_refused_it() -> None:
    """INVARIANT: no stage that judges is skipped."""
    turn = a_turn("a", remaining=("postprocessing",))
    turn.outcome.CopyFrom(Outcome(status=ResponseCompleted.REFUSED, stage="safety"))
    died = letter(a_record(turn, topic=topics.turns("postprocessing", "interactive")), "postprocessing")
    with pytest.raises(Invalid, match="never got beyond safety"):
        planned(died, Wish("inference"))
    judged_again = turn_in(planned(died, Wish("safety")))
    assert not judged_again.HasField("outcome")
    assert turn_in(planned(died)).HasField("outcome")


def test_from_the_first_stage_the_turn_is_the_request_that_it_was_with_its_own_id() -> None:
    turn = a_turn("a")
    turn.reply.partition, turn.reply.encoding = 5, JSON
    onward = planned(letter(a_record(turn)), Wish("preprocessing")).onward
    assert onward.topic == topics.PROMPTS
    asked = json.loads(onward.value or b"")
    assert (asked["turnId"], asked["text"]) == ("a", "secret words of a user")
    told = dict(onward.headers)
    assert told[headers.REPLY_PARTITION] == b"5"
    assert told[headers.CONTENT_TYPE] == b"application/json; type=headrace.v1.PromptSubmitted"


def test_a_review_begins_again_as_a_review() -> None:
    turn = Turn(turn_id="x", review=ReviewSubmitted(review_id="r1", text="fine"))
    turn.slip.CopyFrom(PIPELINES.get("reviews").slip())
    died = letter(a_record(turn, topic=topics.turns("safety", "batch")), "safety")
    onward = planned(died, Wish("preprocessing")).onward
    assert (onward.topic, onward.key) == (topics.REVIEWS, b"r1")
    with pytest.raises(Invalid, match="has no stage 'grounding'"):
        planned(died, Wish("grounding"))


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (record_of(topics.FEEDBACK, FeedbackSubmitted(turn_id="t").SerializeToString()), "only turns have stages"),
        (record_of(topics.PROMPTS, PromptSubmitted(text="x").SerializeToString()), "before it was a turn"),
        (record_of(topics.TURNS_COMPLETED, a_turn("a").SerializeToString()), "had its answer already"),
        (record_of(INFERENCE, b"\xff\xff"), "bytes are no turn"),
        (record_of("somebody.elses.v1", b"x"), "no service reads"),
        (record_of(topics.DEAD_LETTERS, b"x"), "no service reads"),
    ],
)
def test_what_cannot_begin_at_a_stage_says_why(record: Received, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        planned(letter(record), Wish("safety"))


def test_poison_goes_back_with_a_doubt() -> None:
    done = planned(letter(record_of(INFERENCE, b"\xff\xff")))
    assert done.onward.value == b"\xff\xff"
    assert "no headrace.v1.Turn" in done.doubt


def test_mended_bytes_must_be_what_their_topic_carries() -> None:
    poison = letter(record_of(INFERENCE, b"\xff\xff"))
    with pytest.raises(Invalid, match="repaired bytes do not fit"):
        planned(poison, Wish(repair=Repair(value=b"\xfe\xfe")))
    mended = planned(poison, Wish(repair=Repair(value=encode(a_turn("a")))))
    assert turn_in(mended).turn_id == "a"
    assert not mended.doubt


def test_an_edited_message_goes_out_in_the_encoding_of_the_original() -> None:
    poison = letter(record_of(INFERENCE, b"\xff\xff", content_type=b"application/x-protobuf; type=nonsense"))
    mended = planned(poison, Wish(repair=Repair(edited=b'{"turnId": "mended"}')))
    assert turn_in(mended).turn_id == "mended"
    assert dict(mended.onward.headers)[headers.CONTENT_TYPE].endswith(b"type=headrace.v1.Turn")
    with pytest.raises(Invalid, match=r"no headrace\.v1\.Turn"):
        planned(poison, Wish(repair=Repair(edited=b'{"nonsense": 1}')))


def test_a_header_can_be_put_right_or_taken_away() -> None:
    died = letter(record_of(topics.FEEDBACK, b"", content_type=b"text/nonsense", odd=b"1"))
    wish = Wish(repair=Repair(headers=[(headers.CONTENT_TYPE, "application/x-protobuf"), ("odd", None)]))
    told = dict(planned(died, wish).onward.headers)
    assert told[headers.CONTENT_TYPE] == b"application/x-protobuf"
    assert "odd" not in told
