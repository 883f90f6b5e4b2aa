from typing import Any

import pytest

from headrace.messaging.errors import Invalid
from services.gateway.domain.answers import Answer, Status
from services.gateway.domain.openai.chat_answer import Linear, finish_reason
from services.gateway.domain.openai.chat_request import read_request
from services.gateway.domain.requests import Message, Sampling


def body(**changed: object) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **changed}


def test_a_request_becomes_a_question() -> None:
    request = read_request(
        body(
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]},
            ],
            temperature=0.5,
            max_tokens=9,
            stop="END",
            seed=1,
            user="u",
            stream=True,
            stream_options={"include_usage": True},
        ),
        "id",
    )
    assert request.question.messages == (Message("system", "Be brief."), Message("user", "Hi there"))
    assert request.question.sampling == Sampling(0.5, None, 9, 1, ("END",))
    assert (request.question.user, request.stream, request.include_usage) == ("u", True, True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"n": 2}, "n"),
        ({"metadata": {"tone": 7}}, "metadata.tone"),
        ({"metadata": ["tone"]}, "metadata"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": "a", "tool_calls": []}]}, "messages[0].tool_calls"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"x": 1}}, "stream_options.x"),
    ],
)
def test_what_would_not_be_honoured_is_refused_by_name(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_request(body(**changed), "id")
    assert refused.value.field == field


def test_a_template_and_what_fills_it_are_passed_on() -> None:
    question = read_request(body(template="rewrite", metadata={"tone": "formal"}), "id").question
    assert (question.template, question.metadata) == ("rewrite", {"tone": "formal"})


def test_a_restart_that_says_the_same_again_goes_on_where_it_was() -> None:
    linear = Linear()
    assert linear.add("The log") == "The log"
    linear.restart()
    assert [linear.add(text) for text in ("The", " log is", " long")] == ["", " is", " long"]


def test_a_restart_that_says_something_else_cannot_go_on() -> None:
    linear = Linear()
    linear.add("The log")
    linear.restart()
    assert linear.add("A log") is None


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (Status.ANSWERED, "length", "length"),
        (Status.ANSWERED, "", "stop"),
        (Status.REFUSED, "stop", "content_filter"),
    ],
)
def test_an_ending_is_told_in_their_words(status: Status, said: str, expected: str) -> None:
    assert finish_reason(Answer(1, status, "", 0, finish_reason=said)) == expected
