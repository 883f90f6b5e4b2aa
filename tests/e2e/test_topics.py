"""Every topic that anybody may write to, in JSON by a client that is not ours, and what comes out of it."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from headrace.messaging import topics
from tests.e2e.plain_kafka import reading, write
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"no {what} within {seconds} s"


def test_a_prompt_gets_deltas_and_one_final(stack: Stack) -> None:
    turn = str(uuid4())
    prompt = {"turnId": turn, "tenant": "acme", "text": "Say hello.", "sampling": {"maxTokens": 30}}
    with reading(stack.bootstrap, topics.RESPONSE_DELTAS, topics.RESPONSES) as reader:
        write(stack.bootstrap, topics.PROMPTS, turn, prompt)
        final = reader.first("final", topics.RESPONSES, turnId=turn)
        reader.until(
            "last delta",
            lambda _: len(reader.all_of(topics.RESPONSE_DELTAS, turnId=turn)) >= final.get("deltaCount", 0),
        )
        deltas = reader.all_of(topics.RESPONSE_DELTAS, turnId=turn)
    assert final["status"] == "ANSWERED"
    assert "".join(delta["text"] for delta in deltas) == final["text"]
    assert [delta.get("seq", 0) for delta in deltas] == list(range(len(deltas)))
    assert all(delta["verdictId"] for delta in deltas)


def test_a_cancellation_ends_the_answer_that_streams(stack: Stack) -> None:
    turn = str(uuid4())
    with reading(stack.bootstrap, topics.RESPONSE_DELTAS, topics.RESPONSES) as reader:
        write(stack.bootstrap, topics.PROMPTS, turn, {"turnId": turn, "text": "Tell me all.", "model": "slow"})
        reader.first("delta", topics.RESPONSE_DELTAS, turnId=turn)
        write(stack.bootstrap, topics.CANCELLATIONS, turn, {"turnId": turn, "reason": "changed my mind"})
        final = reader.first("final", topics.RESPONSES, turnId=turn)
    assert final["status"] == "CANCELLED"
    assert "word59" not in final.get("text", "")


def test_a_review_is_classified_by_labels_of_its_own(stack: Stack) -> None:
    default, own = f"r-{uuid4()}", f"r-{uuid4()}"
    labels = [{"name": "billing", "description": "about money"}, {"name": "bug", "description": "something broke"}]
    with reading(stack.bootstrap, topics.REVIEWS_CLASSIFIED) as reader:
        write(
            stack.bootstrap, topics.REVIEWS, default, {"reviewId": default, "text": "I love it, the best I ever had."}
        )
        write(
            stack.bootstrap,
            topics.REVIEWS,
            own,
            {"reviewId": own, "text": "It stops.", "labels": labels, "model": "smollm2-135m-instruct"},
        )
        liked = reader.first("class", topics.REVIEWS_CLASSIFIED, reviewId=default)
        chosen = reader.first("class of its own", topics.REVIEWS_CLASSIFIED, reviewId=own)
    assert (liked["label"], liked["model"]) == ("positive", "review-sentiment")
    assert chosen["label"] in {"billing", "bug"}
    assert chosen["scores"].keys() == {"billing", "bug"}
    assert sum(chosen["scores"].values()) == pytest.approx(1)


def test_a_document_is_cited_until_its_tombstone(stack: Stack) -> None:
    tenant = f"weir-{uuid4().hex[:8]}"
    key = f"{tenant}/default/lock"
    document = {
        "documentId": "lock",
        "tenant": tenant,
        "collection": "default",
        "title": "The lock",
        "contentType": "text/markdown",
        "content": "# The lock\n\nThe Oberau lock is 12 metres wide.\n",
    }

    def cited() -> list[dict[str, Any]]:
        turn = str(uuid4())
        asked = {"turnId": turn, "tenant": tenant, "text": "How wide is the Oberau lock?", "model": "mock"}
        with reading(stack.bootstrap, topics.RESPONSES) as reader:
            write(stack.bootstrap, topics.PROMPTS, turn, asked)
            found: list[dict[str, Any]] = reader.first("final", topics.RESPONSES, turnId=turn).get("citations", [])
        return found

    assert not cited()
    write(stack.bootstrap, topics.KNOWLEDGE, key, document)
    until("citation", lambda: [each["documentId"] for each in cited()] == ["lock"])
    write(stack.bootstrap, topics.KNOWLEDGE, key, None)
    until("answer without the deleted document", lambda: not cited())


def test_feedback_is_counted_once_and_joined_with_its_turn(stack: Stack) -> None:
    turn, feedback, tenant = str(uuid4()), str(uuid4()), f"rated-{uuid4().hex[:8]}"
    with reading(stack.bootstrap, topics.RESPONSES) as reader:
        write(
            stack.bootstrap, topics.PROMPTS, turn, {"turnId": turn, "tenant": tenant, "text": "Hello.", "model": "mock"}
        )
        reader.first("final", topics.RESPONSES, turnId=turn)
    rated = {
        "feedbackId": feedback,
        "turnId": turn,
        "tenant": tenant,
        "rating": 4,
        "scale": "stars",
        "comment": "Good.",
    }
    for _ in range(2):
        write(stack.bootstrap, topics.FEEDBACK, turn, rated)

    def counted() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(stack.run("feedback", "report", "--tenant", tenant, "--json").stdout)
        return [row for row in rows if row["model"] == "mock"]

    until("row in the report", lambda: bool(counted()))
    (row,) = counted()
    assert row["stars"]["4"] == 1
