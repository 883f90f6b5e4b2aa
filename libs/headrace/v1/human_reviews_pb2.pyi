import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headrace.v1 import prompts_pb2 as _prompts_pb2
from headrace.v1 import responses_pb2 as _responses_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HumanReviewRequested(_message.Message):
    __slots__ = ("turn_id", "conversation_id", "tenant", "subject", "direction", "rule", "verdicts", "messages", "answer", "policy_version", "requested_at", "trace_id")
    TURN_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    turn_id: str
    conversation_id: str
    tenant: str
    subject: str
    direction: str
    rule: str
    verdicts: _containers.RepeatedCompositeFieldContainer[_responses_pb2.Verdict]
    messages: _containers.RepeatedCompositeFieldContainer[_prompts_pb2.ChatMessage]
    answer: str
    policy_version: str
    requested_at: _timestamp_pb2.Timestamp
    trace_id: str
    def __init__(self, turn_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., tenant: _Optional[str] = ..., subject: _Optional[str] = ..., direction: _Optional[str] = ..., rule: _Optional[str] = ..., verdicts: _Optional[_Iterable[_Union[_responses_pb2.Verdict, _Mapping]]] = ..., messages: _Optional[_Iterable[_Union[_prompts_pb2.ChatMessage, _Mapping]]] = ..., answer: _Optional[str] = ..., policy_version: _Optional[str] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ...) -> None: ...
