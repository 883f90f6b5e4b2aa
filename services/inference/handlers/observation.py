"""What a model call leaves in spans, metrics and the log: figures, never words."""

import structlog
from opentelemetry import trace

from headrace.models.spec import ModelSpec
from headrace.telemetry import attributes, metrics
from headrace.v1.turns_pb2 import Inference

log = structlog.get_logger()


def observe(section: Inference, spec: ModelSpec) -> None:
    """Describe a call that has ended; a cached answer costs no tokens."""
    usage = section.usage
    span = trace.get_current_span()
    span.set_attributes(
        {
            attributes.GEN_AI_OPERATION: _operation(section),
            attributes.GEN_AI_PROVIDER: section.engine,
            attributes.GEN_AI_REQUEST_MODEL: spec.name,
            attributes.GEN_AI_RESPONSE_MODEL: f"{section.model}@{section.model_revision}",
            attributes.GEN_AI_FINISH_REASONS: [section.finish_reason],
            attributes.GEN_AI_INPUT_TOKENS: usage.prompt_tokens,
            attributes.GEN_AI_OUTPUT_TOKENS: usage.completion_tokens,
            attributes.GENERATION_ATTEMPT: section.attempt,
            attributes.CACHED: usage.cached,
        }
    )
    if usage.cached:
        return
    metrics.TOKENS.labels("prompt", section.model).inc(usage.prompt_tokens)
    metrics.TOKENS.labels("completion", section.model).inc(usage.completion_tokens)
    if section.time_to_first_token_ms:
        span.set_attribute(attributes.GEN_AI_TIME_TO_FIRST_TOKEN, section.time_to_first_token_ms / 1000)
    if usage.completion_tokens > 1:
        per_token = (section.duration_ms - section.time_to_first_token_ms) / 1000 / (usage.completion_tokens - 1)
        span.set_attribute(attributes.GEN_AI_TIME_PER_OUTPUT_TOKEN, per_token)
        metrics.TIME_PER_OUTPUT_TOKEN.labels(section.model).observe(per_token)
    log.info(
        "model answered",
        model=section.model,
        engine=section.engine,
        finish_reason=section.finish_reason,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        duration_ms=round(section.duration_ms),
    )


def _operation(section: Inference) -> str:
    if section.embeddings:
        return "embeddings"
    return "classify" if section.scores else "chat"
