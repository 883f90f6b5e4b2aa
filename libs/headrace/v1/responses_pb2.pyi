import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResponseDelta(_message.Message):
    __slots__ = ("turn_id", "attempt", "seq", "text", "verdict_id", "restarted")
    TURN_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    turn_id: str
    attempt: int
    seq: int
    text: str
    verdict_id: str
    restarted: bool
    def __init__(self, turn_id: _Optional[str] = ..., attempt: _Optional[int] = ..., seq: _Optional[int] = ..., text: _Optional[str] = ..., verdict_id: _Optional[str] = ..., restarted: _Optional[bool] = ...) -> None: ...

class ResponseCompleted(_message.Message):
    __slots__ = ("turn_id", "conversation_id", "attempt", "status", "text", "citations", "verdicts", "error", "usage", "versions", "timings", "finish_reason", "trace_id", "delta_count", "tenant", "arm", "model", "notices", "logprobs", "embeddings")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[ResponseCompleted.Status]
        ANSWERED: _ClassVar[ResponseCompleted.Status]
        REFUSED: _ClassVar[ResponseCompleted.Status]
        FAILED: _ClassVar[ResponseCompleted.Status]
        CANCELLED: _ClassVar[ResponseCompleted.Status]
        EXPIRED: _ClassVar[ResponseCompleted.Status]
    STATUS_UNSPECIFIED: ResponseCompleted.Status
    ANSWERED: ResponseCompleted.Status
    REFUSED: ResponseCompleted.Status
    FAILED: ResponseCompleted.Status
    CANCELLED: ResponseCompleted.Status
    EXPIRED: ResponseCompleted.Status
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class TimingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: StageTiming
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[StageTiming, _Mapping]] = ...) -> None: ...
    TURN_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    DELTA_COUNT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    turn_id: str
    conversation_id: str
    attempt: int
    status: ResponseCompleted.Status
    text: str
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    error: Error
    usage: Usage
    versions: _containers.ScalarMap[str, str]
    timings: _containers.MessageMap[str, StageTiming]
    finish_reason: str
    trace_id: str
    delta_count: int
    tenant: str
    arm: str
    model: str
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    logprobs: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    def __init__(self, turn_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., attempt: _Optional[int] = ..., status: _Optional[_Union[ResponseCompleted.Status, str]] = ..., text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., versions: _Optional[_Mapping[str, str]] = ..., timings: _Optional[_Mapping[str, StageTiming]] = ..., finish_reason: _Optional[str] = ..., trace_id: _Optional[str] = ..., delta_count: _Optional[int] = ..., tenant: _Optional[str] = ..., arm: _Optional[str] = ..., model: _Optional[str] = ..., notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., logprobs: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ..., embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class TokenLogprob(_message.Message):
    __slots__ = ("token", "bytes", "logprob", "top")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    token: str
    bytes: bytes
    logprob: float
    top: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    def __init__(self, token: _Optional[str] = ..., bytes: _Optional[bytes] = ..., logprob: _Optional[float] = ..., top: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("code", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("marker", "document_id", "title", "uri", "start", "end", "score", "text", "heading_path")
    MARKER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HEADING_PATH_FIELD_NUMBER: _ClassVar[int]
    marker: str
    document_id: str
    title: str
    uri: str
    start: int
    end: int
    score: float
    text: str
    heading_path: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, marker: _Optional[str] = ..., document_id: _Optional[str] = ..., title: _Optional[str] = ..., uri: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., score: _Optional[float] = ..., text: _Optional[str] = ..., heading_path: _Optional[_Iterable[str]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("rule", "action", "score", "policy_version", "direction", "reason", "start", "end", "judged_at")
    RULE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    JUDGED_AT_FIELD_NUMBER: _ClassVar[int]
    rule: str
    action: str
    score: float
    policy_version: str
    direction: str
    reason: str
    start: int
    end: int
    judged_at: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[str] = ..., action: _Optional[str] = ..., score: _Optional[float] = ..., policy_version: _Optional[str] = ..., direction: _Optional[str] = ..., reason: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., judged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message", "field", "retryable")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    field: str
    retryable: bool
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., field: _Optional[str] = ..., retryable: _Optional[bool] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens", "cached")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    cached: bool
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., cached: _Optional[bool] = ...) -> None: ...

class StageTiming(_message.Message):
    __slots__ = ("queue_ms", "work_ms")
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    WORK_MS_FIELD_NUMBER: _ClassVar[int]
    queue_ms: float
    work_ms: float
    def __init__(self, queue_ms: _Optional[float] = ..., work_ms: _Optional[float] = ...) -> None: ...
