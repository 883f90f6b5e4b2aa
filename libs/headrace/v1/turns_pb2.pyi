import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headrace.v1 import prompts_pb2 as _prompts_pb2
from headrace.v1 import responses_pb2 as _responses_pb2
from headrace.v1 import reviews_pb2 as _reviews_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Turn(_message.Message):
    __slots__ = ("turn_id", "conversation_id", "tenant", "subject", "arm", "slip", "reply", "submitted_at", "deadline", "prompt", "review", "prepared", "grounding", "safety", "inference", "final", "outcome", "timings", "trace_id")
    class TimingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _responses_pb2.StageTiming
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_responses_pb2.StageTiming, _Mapping]] = ...) -> None: ...
    TURN_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    SLIP_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_FIELD_NUMBER: _ClassVar[int]
    SAFETY_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    turn_id: str
    conversation_id: str
    tenant: str
    subject: str
    arm: str
    slip: Slip
    reply: Reply
    submitted_at: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    prompt: _prompts_pb2.PromptSubmitted
    review: _reviews_pb2.ReviewSubmitted
    prepared: Prepared
    grounding: Grounding
    safety: Safety
    inference: Inference
    final: Final
    outcome: Outcome
    timings: _containers.MessageMap[str, _responses_pb2.StageTiming]
    trace_id: str
    def __init__(self, turn_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., tenant: _Optional[str] = ..., subject: _Optional[str] = ..., arm: _Optional[str] = ..., slip: _Optional[_Union[Slip, _Mapping]] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., submitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., prompt: _Optional[_Union[_prompts_pb2.PromptSubmitted, _Mapping]] = ..., review: _Optional[_Union[_reviews_pb2.ReviewSubmitted, _Mapping]] = ..., prepared: _Optional[_Union[Prepared, _Mapping]] = ..., grounding: _Optional[_Union[Grounding, _Mapping]] = ..., safety: _Optional[_Union[Safety, _Mapping]] = ..., inference: _Optional[_Union[Inference, _Mapping]] = ..., final: _Optional[_Union[Final, _Mapping]] = ..., outcome: _Optional[_Union[Outcome, _Mapping]] = ..., timings: _Optional[_Mapping[str, _responses_pb2.StageTiming]] = ..., trace_id: _Optional[str] = ...) -> None: ...

class Slip(_message.Message):
    __slots__ = ("pipeline", "version", "remaining", "lane", "ordered")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    ORDERED_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    version: str
    remaining: _containers.RepeatedScalarFieldContainer[str]
    lane: str
    ordered: bool
    def __init__(self, pipeline: _Optional[str] = ..., version: _Optional[str] = ..., remaining: _Optional[_Iterable[str]] = ..., lane: _Optional[str] = ..., ordered: _Optional[bool] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("partition", "encoding")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    partition: int
    encoding: str
    def __init__(self, partition: _Optional[int] = ..., encoding: _Optional[str] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("status", "error", "stage")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    status: _responses_pb2.ResponseCompleted.Status
    error: _responses_pb2.Error
    stage: str
    def __init__(self, status: _Optional[_Union[_responses_pb2.ResponseCompleted.Status, str]] = ..., error: _Optional[_Union[_responses_pb2.Error, _Mapping]] = ..., stage: _Optional[str] = ...) -> None: ...

class Prepared(_message.Message):
    __slots__ = ("text", "language", "language_confidence", "template", "template_version", "instructions", "sources_template", "history", "question", "model", "model_revision", "sampling", "budget", "labels", "cacheable", "normalisations", "response_format", "input", "trimmed_messages", "polish", "examples")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_REVISION_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CACHEABLE_FIELD_NUMBER: _ClassVar[int]
    NORMALISATIONS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TRIMMED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    POLISH_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    language_confidence: float
    template: str
    template_version: str
    instructions: str
    sources_template: str
    history: _containers.RepeatedCompositeFieldContainer[_prompts_pb2.ChatMessage]
    question: str
    model: str
    model_revision: str
    sampling: _prompts_pb2.Sampling
    budget: TokenBudget
    labels: _containers.RepeatedCompositeFieldContainer[_reviews_pb2.Label]
    cacheable: bool
    normalisations: _containers.RepeatedScalarFieldContainer[str]
    response_format: _prompts_pb2.ResponseFormat
    input: _containers.RepeatedScalarFieldContainer[str]
    trimmed_messages: int
    polish: str
    examples: _containers.RepeatedCompositeFieldContainer[_prompts_pb2.ChatMessage]
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., language_confidence: _Optional[float] = ..., template: _Optional[str] = ..., template_version: _Optional[str] = ..., instructions: _Optional[str] = ..., sources_template: _Optional[str] = ..., history: _Optional[_Iterable[_Union[_prompts_pb2.ChatMessage, _Mapping]]] = ..., question: _Optional[str] = ..., model: _Optional[str] = ..., model_revision: _Optional[str] = ..., sampling: _Optional[_Union[_prompts_pb2.Sampling, _Mapping]] = ..., budget: _Optional[_Union[TokenBudget, _Mapping]] = ..., labels: _Optional[_Iterable[_Union[_reviews_pb2.Label, _Mapping]]] = ..., cacheable: _Optional[bool] = ..., normalisations: _Optional[_Iterable[str]] = ..., response_format: _Optional[_Union[_prompts_pb2.ResponseFormat, _Mapping]] = ..., input: _Optional[_Iterable[str]] = ..., trimmed_messages: _Optional[int] = ..., polish: _Optional[str] = ..., examples: _Optional[_Iterable[_Union[_prompts_pb2.ChatMessage, _Mapping]]] = ...) -> None: ...

class TokenBudget(_message.Message):
    __slots__ = ("context_window", "max_new_tokens", "used", "remaining")
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_NEW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    context_window: int
    max_new_tokens: int
    used: int
    remaining: int
    def __init__(self, context_window: _Optional[int] = ..., max_new_tokens: _Optional[int] = ..., used: _Optional[int] = ..., remaining: _Optional[int] = ...) -> None: ...

class Grounding(_message.Message):
    __slots__ = ("history", "passages", "context", "corpus_version", "degraded", "entities", "uncovered", "retrieval_query")
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CORPUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    UNCOVERED_FIELD_NUMBER: _ClassVar[int]
    RETRIEVAL_QUERY_FIELD_NUMBER: _ClassVar[int]
    history: _containers.RepeatedCompositeFieldContainer[_prompts_pb2.ChatMessage]
    passages: _containers.RepeatedCompositeFieldContainer[_responses_pb2.Citation]
    context: str
    corpus_version: str
    degraded: bool
    entities: _containers.RepeatedCompositeFieldContainer[Entity]
    uncovered: bool
    retrieval_query: str
    def __init__(self, history: _Optional[_Iterable[_Union[_prompts_pb2.ChatMessage, _Mapping]]] = ..., passages: _Optional[_Iterable[_Union[_responses_pb2.Citation, _Mapping]]] = ..., context: _Optional[str] = ..., corpus_version: _Optional[str] = ..., degraded: _Optional[bool] = ..., entities: _Optional[_Iterable[_Union[Entity, _Mapping]]] = ..., uncovered: _Optional[bool] = ..., retrieval_query: _Optional[str] = ...) -> None: ...

class Entity(_message.Message):
    __slots__ = ("id", "kind", "name", "document_id", "text", "start", "end")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    name: str
    document_id: str
    text: str
    start: int
    end: int
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., document_id: _Optional[str] = ..., text: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Safety(_message.Message):
    __slots__ = ("policy", "policy_version", "messages", "verdicts", "masked", "output", "trial_verdicts")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TRIAL_VERDICTS_FIELD_NUMBER: _ClassVar[int]
    policy: str
    policy_version: str
    messages: _containers.RepeatedCompositeFieldContainer[_prompts_pb2.ChatMessage]
    verdicts: _containers.RepeatedCompositeFieldContainer[_responses_pb2.Verdict]
    masked: bool
    output: OutputJudgement
    trial_verdicts: _containers.RepeatedCompositeFieldContainer[_responses_pb2.Verdict]
    def __init__(self, policy: _Optional[str] = ..., policy_version: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_prompts_pb2.ChatMessage, _Mapping]]] = ..., verdicts: _Optional[_Iterable[_Union[_responses_pb2.Verdict, _Mapping]]] = ..., masked: _Optional[bool] = ..., output: _Optional[_Union[OutputJudgement, _Mapping]] = ..., trial_verdicts: _Optional[_Iterable[_Union[_responses_pb2.Verdict, _Mapping]]] = ...) -> None: ...

class OutputJudgement(_message.Message):
    __slots__ = ("text", "stopped", "delta_count")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    DELTA_COUNT_FIELD_NUMBER: _ClassVar[int]
    text: str
    stopped: bool
    delta_count: int
    def __init__(self, text: _Optional[str] = ..., stopped: _Optional[bool] = ..., delta_count: _Optional[int] = ...) -> None: ...

class Inference(_message.Message):
    __slots__ = ("text", "finish_reason", "model", "model_revision", "engine", "usage", "attempt", "time_to_first_token_ms", "duration_ms", "scores", "logprobs", "embeddings", "in_place_of")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_REVISION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_FIRST_TOKEN_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    IN_PLACE_OF_FIELD_NUMBER: _ClassVar[int]
    text: str
    finish_reason: str
    model: str
    model_revision: str
    engine: str
    usage: _responses_pb2.Usage
    attempt: int
    time_to_first_token_ms: float
    duration_ms: float
    scores: _containers.RepeatedCompositeFieldContainer[LabelScore]
    logprobs: _containers.RepeatedCompositeFieldContainer[_responses_pb2.TokenLogprob]
    embeddings: _containers.RepeatedCompositeFieldContainer[_responses_pb2.Embedding]
    in_place_of: str
    def __init__(self, text: _Optional[str] = ..., finish_reason: _Optional[str] = ..., model: _Optional[str] = ..., model_revision: _Optional[str] = ..., engine: _Optional[str] = ..., usage: _Optional[_Union[_responses_pb2.Usage, _Mapping]] = ..., attempt: _Optional[int] = ..., time_to_first_token_ms: _Optional[float] = ..., duration_ms: _Optional[float] = ..., scores: _Optional[_Iterable[_Union[LabelScore, _Mapping]]] = ..., logprobs: _Optional[_Iterable[_Union[_responses_pb2.TokenLogprob, _Mapping]]] = ..., embeddings: _Optional[_Iterable[_Union[_responses_pb2.Embedding, _Mapping]]] = ..., in_place_of: _Optional[str] = ...) -> None: ...

class LabelScore(_message.Message):
    __slots__ = ("label", "score")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    label: str
    score: float
    def __init__(self, label: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class Final(_message.Message):
    __slots__ = ("completed", "classified")
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    CLASSIFIED_FIELD_NUMBER: _ClassVar[int]
    completed: _responses_pb2.ResponseCompleted
    classified: _reviews_pb2.ReviewClassified
    def __init__(self, completed: _Optional[_Union[_responses_pb2.ResponseCompleted, _Mapping]] = ..., classified: _Optional[_Union[_reviews_pb2.ReviewClassified, _Mapping]] = ...) -> None: ...

class StreamContext(_message.Message):
    __slots__ = ("turn_id", "conversation_id", "tenant", "subject", "pipeline", "reply", "deadline", "attempt", "markers", "masked", "again", "structured", "polish")
    TURN_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    MARKERS_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    STRUCTURED_FIELD_NUMBER: _ClassVar[int]
    POLISH_FIELD_NUMBER: _ClassVar[int]
    turn_id: str
    conversation_id: str
    tenant: str
    subject: str
    pipeline: str
    reply: Reply
    deadline: _timestamp_pb2.Timestamp
    attempt: int
    markers: _containers.RepeatedScalarFieldContainer[str]
    masked: bool
    again: bool
    structured: bool
    polish: str
    def __init__(self, turn_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., tenant: _Optional[str] = ..., subject: _Optional[str] = ..., pipeline: _Optional[str] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt: _Optional[int] = ..., markers: _Optional[_Iterable[str]] = ..., masked: _Optional[bool] = ..., again: _Optional[bool] = ..., structured: _Optional[bool] = ..., polish: _Optional[str] = ...) -> None: ...

class GeneratedDelta(_message.Message):
    __slots__ = ("context", "offset", "text", "last", "finish_reason")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    context: StreamContext
    offset: int
    text: str
    last: bool
    finish_reason: str
    def __init__(self, context: _Optional[_Union[StreamContext, _Mapping]] = ..., offset: _Optional[int] = ..., text: _Optional[str] = ..., last: _Optional[bool] = ..., finish_reason: _Optional[str] = ...) -> None: ...

class ClearedDelta(_message.Message):
    __slots__ = ("context", "seq", "text", "verdict_id", "last", "stopped", "finish_reason")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    context: StreamContext
    seq: int
    text: str
    verdict_id: str
    last: bool
    stopped: bool
    finish_reason: str
    def __init__(self, context: _Optional[_Union[StreamContext, _Mapping]] = ..., seq: _Optional[int] = ..., text: _Optional[str] = ..., verdict_id: _Optional[str] = ..., last: _Optional[bool] = ..., stopped: _Optional[bool] = ..., finish_reason: _Optional[str] = ...) -> None: ...
