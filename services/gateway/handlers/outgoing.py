"""What the gateway publishes: its clients' wishes as public messages."""

import time

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.prompts_pb2 import CancelRequested, ChatMessage, PromptSubmitted
from headrace.v1.prompts_pb2 import ResponseFormat as WireFormat
from headrace.v1.prompts_pb2 import Sampling as SamplingMessage
from services.gateway.domain.requests import Question, Rating, Sampling


def prompt(question: Question, *, tenant: str, partition: int) -> Outgoing:
    """The question as a message, its answer asked for on a reply partition."""
    message = PromptSubmitted(
        turn_id=question.turn_id,
        conversation_id=question.conversation_id,
        tenant=tenant,
        user=question.user,
        pipeline=question.pipeline,
        model=question.model,
        template=question.template,
        metadata=question.metadata,
        text=question.text,
        messages=[ChatMessage(role=each.role, content=each.content) for each in question.messages],
        sampling=_sampling(question.sampling),
        input=question.input,
    )
    if question.response_format.type:
        wanted = question.response_format
        message.response_format.CopyFrom(
            WireFormat(type=wanted.type, json_schema=wanted.json_schema, choices=wanted.choices)
        )
    if question.timeout_ms:
        message.deadline.FromMilliseconds(time.time_ns() // 1_000_000 + question.timeout_ms)
    return Outgoing(
        topic=topics.PROMPTS,
        key=question.conversation_id or question.turn_id,
        message=message,
        tenant=tenant,
        headers={headers.MESSAGE_ID: question.turn_id, headers.REPLY_PARTITION: str(partition)},
    )


def _sampling(sampling: Sampling) -> SamplingMessage:
    message = SamplingMessage(stop=sampling.stop)
    for name in ("temperature", "top_p", "max_tokens", "seed", "logprobs"):
        if (value := getattr(sampling, name)) is not None:
            setattr(message, name, value)
    return message


def cancellation(turn_id: str, *, tenant: str, reason: str) -> Outgoing:
    """The wish to stop a turn."""
    message = CancelRequested(turn_id=turn_id, reason=reason, tenant=tenant)
    return Outgoing(topic=topics.CANCELLATIONS, key=turn_id, message=message, tenant=tenant)


def feedback(rating: Rating, *, tenant: str, feedback_id: str) -> Outgoing:
    """What a person says of an answer."""
    now = Timestamp()
    now.GetCurrentTime()
    message = FeedbackSubmitted(
        feedback_id=feedback_id,
        turn_id=rating.turn_id,
        user=rating.user,
        rating=rating.rating,
        scale=rating.scale,
        comment=rating.comment,
        correction=rating.correction,
        consent_to_train=rating.consent_to_train,
        tenant=tenant,
        submitted_at=now,
        reasons=rating.reasons,
    )
    return Outgoing(
        topic=topics.FEEDBACK,
        key=rating.turn_id,
        message=message,
        tenant=tenant,
        headers={headers.MESSAGE_ID: feedback_id},
    )
