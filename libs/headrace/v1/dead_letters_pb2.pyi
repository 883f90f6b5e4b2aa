import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeadLetter(_message.Message):
    __slots__ = ("stage", "error", "attempts", "origin", "trace_id", "headers", "value", "key", "dead_at", "tombstone", "keyless")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEAD_AT_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONE_FIELD_NUMBER: _ClassVar[int]
    KEYLESS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    error: DeadLetterError
    attempts: int
    origin: Origin
    trace_id: str
    headers: _containers.RepeatedCompositeFieldContainer[RecordHeader]
    value: bytes
    key: bytes
    dead_at: _timestamp_pb2.Timestamp
    tombstone: bool
    keyless: bool
    def __init__(self, stage: _Optional[str] = ..., error: _Optional[_Union[DeadLetterError, _Mapping]] = ..., attempts: _Optional[int] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., trace_id: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[RecordHeader, _Mapping]]] = ..., value: _Optional[bytes] = ..., key: _Optional[bytes] = ..., dead_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tombstone: _Optional[bool] = ..., keyless: _Optional[bool] = ...) -> None: ...

class DeadLetterDisposition(_message.Message):
    __slots__ = ("letter_id", "action", "at", "operator", "topic", "repaired")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACTION_UNSPECIFIED: _ClassVar[DeadLetterDisposition.Action]
        REDRIVEN: _ClassVar[DeadLetterDisposition.Action]
        PURGED: _ClassVar[DeadLetterDisposition.Action]
    ACTION_UNSPECIFIED: DeadLetterDisposition.Action
    REDRIVEN: DeadLetterDisposition.Action
    PURGED: DeadLetterDisposition.Action
    LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    letter_id: str
    action: DeadLetterDisposition.Action
    at: _timestamp_pb2.Timestamp
    operator: str
    topic: str
    repaired: bool
    def __init__(self, letter_id: _Optional[str] = ..., action: _Optional[_Union[DeadLetterDisposition.Action, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., operator: _Optional[str] = ..., topic: _Optional[str] = ..., repaired: _Optional[bool] = ...) -> None: ...

class DeadLetterError(_message.Message):
    __slots__ = ("message",)
    CLASS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ..., **kwargs) -> None: ...

class Origin(_message.Message):
    __slots__ = ("topic", "partition", "offset", "timestamp")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordHeader(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
