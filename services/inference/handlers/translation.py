"""Between the turn on the wire and what the domain knows."""

from collections.abc import Iterable
from typing import Final

from headrace.messaging.errors import Invalid
from headrace.models.assemble import messages_of
from headrace.models.spec import ModelSpec
from headrace.v1.prompts_pb2 import Sampling as WireSampling
from headrace.v1.responses_pb2 import TokenLogprob as WireLogprob
from headrace.v1.turns_pb2 import Inference, StreamContext, Turn
from services.inference.domain.constraint import AnyJson, Choice, Constraint, JsonSchema
from services.inference.domain.fingerprint import Shape
from services.inference.domain.sampling import Sampling
from services.inference.domain.token_log import TokenLogprob

_MAX_TEMPERATURE: Final = 2.0
_MAX_LOGPROBS: Final = 20


def sampling_of(turn: Turn, spec: ModelSpec) -> Sampling:
    """What the turn asks for; what it leaves open is greedy, within the budget that preprocessing set.

    `Invalid` for what no engine can do: it would take the engine down, and the answers of others with it.
    """
    asked = turn.prepared.sampling
    _drawable(asked)
    usual = turn.prepared.budget.max_new_tokens or spec.limits.max_new_tokens
    return Sampling(
        temperature=asked.temperature if asked.HasField("temperature") else 0.0,
        top_p=asked.top_p if asked.HasField("top_p") else 1.0,
        max_tokens=min(asked.max_tokens if asked.HasField("max_tokens") else usual, spec.limits.max_new_tokens),
        seed=asked.seed if asked.HasField("seed") else None,
        stop=tuple(asked.stop),
        repetition_penalty=spec.repetition_penalty,
        logprobs=asked.logprobs if asked.HasField("logprobs") else None,
    )


def _drawable(asked: WireSampling) -> None:
    # Written so that NaN is outside.
    if asked.HasField("temperature") and not 0.0 <= asked.temperature <= _MAX_TEMPERATURE:
        message = f"sampling.temperature is {asked.temperature:g}: it must be from 0 to {_MAX_TEMPERATURE:g}"
        raise Invalid(message, code="out_of_range", field="sampling.temperature")
    if asked.HasField("top_p") and not 0.0 < asked.top_p <= 1.0:
        message = f"sampling.top_p is {asked.top_p:g}: it must be above 0 and at most 1"
        raise Invalid(message, code="out_of_range", field="sampling.top_p")
    if not 0 <= asked.logprobs <= _MAX_LOGPROBS:
        message = f"sampling.logprobs is {asked.logprobs}: it must be from 0 to {_MAX_LOGPROBS}"
        raise Invalid(message, code="out_of_range", field="sampling.logprobs")


def adapter_of(spec: ModelSpec) -> str:
    """The LoRA adapter over the weights, with its version; empty where there is none."""
    return f"{spec.name}@{spec.revision}" if spec.base else ""


def labels_of(turn: Turn) -> tuple[str, ...]:
    """The labels of a classification; none for a chat."""
    return tuple(label.name for label in turn.prepared.labels)


def shape_of(turn: Turn, spec: ModelSpec) -> Shape:
    """All that shapes the answer of this turn."""
    prepared = turn.prepared
    return Shape(
        tenant=turn.tenant,
        model=spec.name,
        model_revision=spec.revision,
        adapter=adapter_of(spec),
        template=prepared.template,
        template_version=prepared.template_version,
        corpus_version=turn.grounding.corpus_version,
        policy=turn.safety.policy,
        policy_version=turn.safety.policy_version,
        response_format=prepared.response_format.SerializeToString(deterministic=True).hex(),
        sampling=sampling_of(turn, spec),
        messages=tuple(messages_of(turn)),
        labels=labels_of(turn),
    )


def constraint_of(turn: Turn) -> Constraint | None:
    """The form that the answer must have; None: any."""
    wanted = turn.prepared.response_format
    match wanted.type:
        case "json_object":
            return AnyJson()
        case "json_schema":
            return JsonSchema(wanted.json_schema)
        case "choice":
            return Choice(tuple(wanted.choices))
        case _:
            return None


def logprobs_to(tokens: Iterable[TokenLogprob]) -> list[WireLogprob]:
    """Probabilities of tokens for the wire."""
    return [
        WireLogprob(
            token=each.drawn.text,
            bytes=each.drawn.bytes,
            logprob=each.drawn.logprob,
            top=[WireLogprob(token=top.text, bytes=top.bytes, logprob=top.logprob) for top in each.top],
        )
        for each in tokens
    ]


def section_of(spec: ModelSpec, attempt: int) -> Inference:
    """The section before anything was generated."""
    return Inference(model=spec.name, model_revision=spec.revision, attempt=attempt)


def section_for(section: Inference, spec: ModelSpec, *, in_place_of: str) -> None:
    """Have another model answer: the section names it, and whom it stands in for."""
    section.model, section.model_revision, section.in_place_of = spec.name, spec.revision, in_place_of


def stream_context(turn: Turn, attempt: int, *, again: bool) -> StreamContext:
    """What every delta carries of its turn."""
    return StreamContext(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        tenant=turn.tenant,
        subject=turn.subject,
        pipeline=turn.slip.pipeline,
        reply=turn.reply if turn.HasField("reply") else None,
        deadline=turn.deadline if turn.HasField("deadline") else None,
        attempt=attempt,
        again=again,
        markers=[passage.marker for passage in turn.grounding.passages],
        masked=turn.safety.masked,
        structured=constraint_of(turn) is not None,
        polish=turn.prepared.polish,
    )
