"""Requests from the wire to the domain, prepared sections back to it."""

from headrace.prompts.template import Label, Message, Sampling
from headrace.v1.prompts_pb2 import ChatMessage, PromptSubmitted
from headrace.v1.prompts_pb2 import Sampling as WireSampling
from headrace.v1.responses_pb2 import Error
from headrace.v1.reviews_pb2 import Label as WireLabel
from headrace.v1.reviews_pb2 import ReviewSubmitted
from headrace.v1.turns_pb2 import TokenBudget
from services.preprocessing.domain.budget import Budget
from services.preprocessing.domain.request import Form, Prompt, Rejected, Review


def prompt_of(submitted: PromptSubmitted, deadline_ms: int | None) -> Prompt:
    """The prompt, its deadline from wherever it came."""
    return Prompt(
        turn_id=submitted.turn_id,
        conversation_id=submitted.conversation_id,
        tenant=submitted.tenant,
        user=submitted.user,
        pipeline=submitted.pipeline,
        model=submitted.model,
        template=submitted.template,
        text=submitted.text,
        messages=tuple(Message(message.role, message.content) for message in submitted.messages),
        input=tuple(submitted.input),
        sampling=_sampling_of(submitted.sampling),
        form=Form(
            submitted.response_format.type,
            submitted.response_format.json_schema,
            tuple(submitted.response_format.choices),
        ),
        deadline_ms=deadline_ms,
        metadata=dict(submitted.metadata),
    )


def review_of(submitted: ReviewSubmitted) -> Review:
    """The review as it was sent."""
    return Review(
        review_id=submitted.review_id,
        batch_id=submitted.batch_id,
        tenant=submitted.tenant,
        pipeline=submitted.pipeline,
        model=submitted.model,
        text=submitted.text,
        labels=tuple(Label(label.name, label.description) for label in submitted.labels),
        metadata=dict(submitted.metadata),
    )


def _sampling_of(sampling: WireSampling) -> Sampling:
    return Sampling(
        temperature=sampling.temperature if sampling.HasField("temperature") else None,
        top_p=sampling.top_p if sampling.HasField("top_p") else None,
        max_tokens=sampling.max_tokens if sampling.HasField("max_tokens") else None,
        seed=sampling.seed if sampling.HasField("seed") else None,
        stop=tuple(sampling.stop),
        logprobs=sampling.logprobs if sampling.HasField("logprobs") else None,
    )


def sampling_to(sampling: Sampling) -> WireSampling:
    """Sampling for the wire; what nobody chose stays unset, for the model's own default."""
    return WireSampling(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        seed=sampling.seed,
        stop=sampling.stop,
        logprobs=sampling.logprobs,
    )


def messages_to(messages: tuple[Message, ...]) -> list[ChatMessage]:
    """Messages for the wire."""
    return [ChatMessage(role=message.role, content=message.content) for message in messages]


def labels_to(labels: tuple[Label, ...]) -> list[WireLabel]:
    """Labels for the wire."""
    return [WireLabel(name=label.name, description=label.description) for label in labels]


def budget_to(budget: Budget) -> TokenBudget:
    """The budget for the wire."""
    return TokenBudget(
        context_window=budget.context_window,
        max_new_tokens=budget.max_new_tokens,
        used=budget.used,
        remaining=budget.remaining,
    )


def error_to(rejected: Rejected) -> Error:
    """What the client is told; sending the same again would fail again."""
    return Error(code=rejected.code, message=rejected.message, field=rejected.field, retryable=False)
