"""The turn that a request opens."""

from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.messaging import headers, topics
from headrace.messaging.contract import JSON
from headrace.runtime.pipelines import Pipeline, Pipelines
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted
from services.preprocessing.adapters.opening import Opening, undecodable_prompt, undecodable_review
from tests.fakes.contexts import NOW_MS, a_context


@pytest.fixture
def opening() -> Opening:
    chat = Pipeline(
        name="chat", version="1", lane="interactive", stages=("safety", "postprocessing"), deadline_seconds=9
    )
    short = Pipeline(name="short", version="2", lane="interactive", stages=("postprocessing",), deadline_seconds=5)
    reviews = Pipeline(name="reviews", version="1", lane="batch", stages=("postprocessing",), deadline_seconds=60)
    return Opening(Pipelines({"chat": chat, "short": short, "reviews": reviews}))


def test_a_bare_prompt_gets_an_id_a_conversation_and_a_deadline(opening: Opening) -> None:
    turn = opening.prompt(PromptSubmitted(text="Hello?"), a_context())
    assert str(UUID(turn.turn_id)) == turn.turn_id == turn.conversation_id
    assert (turn.tenant, turn.arm, turn.slip.pipeline) == ("default", "default", "chat")
    assert turn.submitted_at.ToMilliseconds() == NOW_MS
    assert turn.deadline.ToMilliseconds() == NOW_MS + 9_000
    assert list(turn.slip.remaining) == ["safety", "postprocessing"]


def test_a_redelivered_request_opens_the_same_turn(opening: Opening) -> None:
    """INVARIANT: ids come from the message, so that a redelivery is the same turn and costs no second answer."""
    prompt, review = PromptSubmitted(text="Hello?"), ReviewSubmitted(review_id="r1", tenant="acme", text="Nice.")
    assert opening.prompt(prompt, a_context()).turn_id == opening.prompt(prompt, a_context(now_ms=NOW_MS + 9)).turn_id
    assert opening.prompt(prompt, a_context()).turn_id != opening.prompt(prompt, a_context(message_id="m2")).turn_id
    assert opening.review(review, a_context()).turn_id == opening.review(review, a_context(message_id="m2")).turn_id
    other = ReviewSubmitted(review_id="r1", tenant="other", text="Nice.")
    assert opening.review(review, a_context()).turn_id != opening.review(other, a_context()).turn_id


def test_what_the_client_says_wins_over_the_headers(opening: Opening) -> None:
    deadline = Timestamp()
    deadline.FromMilliseconds(NOW_MS + 1_234)
    submitted = PromptSubmitted(text="Hello?", tenant="acme", user="zoe", pipeline="short", deadline=deadline)
    turn = opening.prompt(submitted, a_context(tenant="other", deadline_ms=NOW_MS + 77))
    assert (turn.tenant, turn.subject, turn.slip.pipeline) == ("acme", "zoe", "short")
    assert turn.deadline.ToMilliseconds() == NOW_MS + 1_234


def test_headers_speak_for_a_client_that_says_nothing(opening: Opening) -> None:
    context = a_context(tenant="acme", deadline_ms=NOW_MS + 77, headers={headers.REPLY_PARTITION: "5"}, encoding=JSON)
    turn = opening.prompt(PromptSubmitted(text="Hello?"), context)
    assert (turn.tenant, turn.deadline.ToMilliseconds()) == ("acme", NOW_MS + 77)
    assert (turn.reply.partition, turn.reply.encoding) == (5, JSON)


@pytest.mark.parametrize("asked", ["", "-1", "x", "1e3", "99999999999", "\u0663"])
def test_a_reply_partition_that_is_no_number_is_none(opening: Opening, asked: str) -> None:
    turn = opening.prompt(PromptSubmitted(), a_context(headers={headers.REPLY_PARTITION: asked}))
    assert not turn.reply.HasField("partition")


def test_a_request_that_waited_for_its_retry_counts_from_when_it_came(opening: Opening) -> None:
    context = a_context(headers={headers.ORIGIN_TIMESTAMP: str(NOW_MS - 3_000)})
    assert opening.prompt(PromptSubmitted(), context).deadline.ToMilliseconds() == NOW_MS + 6_000


@pytest.mark.parametrize(
    "submitted",
    [
        PromptSubmitted(),
        PromptSubmitted(turn_id="x" * 5_000, conversation_id="y" * 5_000, tenant="z" * 5_000, pipeline="nope"),
        PromptSubmitted(deadline=Timestamp(seconds=-(2**62))),
        PromptSubmitted(deadline=Timestamp(seconds=2**62, nanos=-5)),
    ],
)
def test_opening_is_total(opening: Opening, submitted: PromptSubmitted) -> None:
    """INVARIANT: whatever decodes opens a turn that finds its way to an answer."""
    turn = opening.prompt(submitted, a_context())
    assert turn.slip.pipeline == "chat"
    assert len(turn.turn_id) <= 200


def test_a_review_is_keyed_by_itself(opening: Opening) -> None:
    turn = opening.review(ReviewSubmitted(review_id="r1", text="Nice."), a_context())
    assert (turn.conversation_id, turn.slip.lane, turn.review.review_id) == ("r1", "batch", "r1")


def test_bytes_that_are_no_prompt_are_answered_under_the_name_they_came_with() -> None:
    context = a_context(headers={headers.MESSAGE_ID: "m-1", headers.REPLY_PARTITION: "2"}, encoding=JSON)
    (outgoing,) = undecodable_prompt("the JSON is not UTF-8: byte 7 cannot be read", context)
    assert (outgoing.topic, outgoing.key, outgoing.partition, outgoing.encoding) == (topics.RESPONSES, "key-1", 2, JSON)
    completed = outgoing.message
    assert isinstance(completed, ResponseCompleted)
    assert (completed.turn_id, completed.status) == ("m-1", ResponseCompleted.FAILED)
    assert (completed.error.code, completed.error.field) == ("undecodable", "value")
    assert "byte 7" in completed.error.message


def test_bytes_that_are_no_review_are_answered_under_their_key() -> None:
    (outgoing,) = undecodable_review("truncated", a_context())
    assert (outgoing.topic, outgoing.key) == (topics.REVIEWS_CLASSIFIED, "key-1")
    assert isinstance(outgoing.message, ReviewClassified)
    assert (outgoing.message.review_id, outgoing.message.error.code) == ("key-1", "undecodable")
