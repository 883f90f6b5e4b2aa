"""The public messages as pydantic models of their proto-JSON: what a page or a schema can show of a contract."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, create_model

_SCALARS: Final[Mapping[int, Any]] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BYTES: Base64Bytes,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_DOUBLE: float,
    FieldDescriptor.TYPE_FLOAT: float,
    FieldDescriptor.TYPE_INT32: int,
    FieldDescriptor.TYPE_UINT32: int,
    # Proto-JSON writes what a double cannot hold as text.
    FieldDescriptor.TYPE_INT64: str,
    FieldDescriptor.TYPE_UINT64: str,
}
_TIMESTAMP: Final = "google.protobuf.Timestamp"


def model_of(message: type[Message]) -> type[BaseModel]:
    """The model of a message type; a message within it is a model of its own."""
    return _model(message.DESCRIPTOR)


@cache
def _model(descriptor: Descriptor) -> type[BaseModel]:
    fields: dict[str, Any] = {
        field.json_name: (_type(field), Field(default_factory=_unset, description=_said().get(field.full_name)))
        for field in descriptor.fields
    }
    model: type[BaseModel] = create_model(
        descriptor.name, __doc__=_said().get(descriptor.full_name), __config__=ConfigDict(extra="forbid"), **fields
    )
    return model


def _unset() -> None:
    """A field that is left out; as a plain default it would stand in the schema, where null is none of its values."""


def _type(field: FieldDescriptor) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict[str, _single(field.message_type.fields_by_name["value"])]  # type: ignore[misc]  # made here
    single = _single(field)
    return list[single] if field.is_repeated else single  # type: ignore[valid-type]  # made here


def _single(field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return Literal[tuple(value.name for value in field.enum_type.values if value.number)]
    if field.message_type is None:
        return _SCALARS[field.type]
    if field.message_type.full_name == _TIMESTAMP:
        return datetime
    if field.message_type is field.containing_type:
        return dict[str, Any]
    return _model(field.message_type)


@cache
def _said() -> Mapping[str, str]:
    """What the contracts' comments say, by full name; `make proto` writes it."""
    text = (resources.files("headrace.v1") / "descriptions.json").read_text(encoding="utf-8")
    said: dict[str, str] = json.loads(text)
    return said
